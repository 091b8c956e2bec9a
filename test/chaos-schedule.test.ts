import type { FaultContext } from './chaos/faults/faults.ts';
import { kindsOn, type PlannedFault, planFaults } from './chaos/faults/plan.ts';
import { countDone, type FaultRecord, runSchedule } from './chaos/faults/schedule.ts';

/** An installation without a broker: every fault of the broker is skipped. */
const context = {
  installation: { workers: [], apis: [], postgres: {}, leaseMs: 0 },
  load: {},
} as unknown as FaultContext;

function* brokerFaults(): Generator<PlannedFault> {
  for (let number = 1; ; number += 1) {
    yield { number, kind: 'broker_killed', gapMs: 0, target: 0, durationMs: 0, loses: false };
  }
}

test('a schedule ends if the machine cannot do its faults, and reports each as skipped', async () => {
  const seen: FaultRecord[] = [];
  const records = await runSchedule(brokerFaults(), { totalMs: 0, atLeast: 3 }, context, (record) =>
    seen.push(record),
  );
  expect(countDone(records)).toBe(0);
  expect(seen).toEqual(records);
  expect(new Set(records.map(({ skipped }) => skipped))).toEqual(new Set(['no broker']));
});

test('kinds that a driver does not have are refused before the run', () => {
  expect(kindsOn('embedded', ['broker_killed', 'queue_purged'])).toEqual(['queue_purged']);
  const plan = planFaults({ seed: 1, driver: 'embedded', gapMs: 1, kinds: ['broker_killed'] });
  expect(() => plan.next()).toThrow('embedded');
});
