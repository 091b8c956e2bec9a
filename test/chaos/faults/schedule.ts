import { setTimeout as delay } from 'node:timers/promises';
import { type FaultContext, type FaultEffect, prepareFault } from './faults.ts';
import type { FaultKind, PlannedFault } from './plan.ts';

export interface FaultRecord extends FaultEffect {
  number: number;
  kind: FaultKind;
}

const BESIDE_MS = 300;
/** After this many skipped faults in a row, more time will not help: the machine cannot do them. */
const MOST_SKIPPED = 10;

/**
 * Performs the schedule for `totalMs`, and then until `atLeast` faults took effect or it is clear
 * that they cannot; resolves when the last one has healed.
 */
export async function runSchedule(
  plan: Iterable<PlannedFault>,
  { totalMs, atLeast }: { totalMs: number; atLeast: number },
  context: FaultContext,
  onFault: (record: FaultRecord) => void,
): Promise<FaultRecord[]> {
  const begun = performance.now();
  const records: FaultRecord[] = [];
  const held = new Map<string, Promise<unknown>>();
  let underWay: Promise<unknown>[] = [];

  for (const planned of plan) {
    if (planned.gapMs === null) {
      await delay(BESIDE_MS);
    } else {
      await Promise.all(underWay);
      underWay = [];
      await delay(planned.gapMs);
    }
    const isOver = performance.now() - begun > totalMs;
    if (isOver && (countDone(records) >= atLeast || isStuck(records))) break;
    const act = prepareFault(planned, context);
    const free = Promise.all(act.holds.map((hold) => held.get(hold)));
    const done = free.then(async () => {
      const record = { number: planned.number, kind: planned.kind, ...(await runReported(act.run)) };
      records.push(record);
      onFault(record);
    });
    for (const hold of act.holds) held.set(hold, done);
    underWay.push(done);
  }
  await Promise.all(underWay);
  return records;
}

/** Number of faults that took effect. */
export const countDone = (records: FaultRecord[]): number => records.filter(({ skipped }) => !skipped).length;

const isStuck = (records: FaultRecord[]): boolean =>
  records.length >= MOST_SKIPPED && countDone(records.slice(-MOST_SKIPPED)) === 0;

/** A fault that failed is reported as skipped. */
async function runReported(run: () => Promise<FaultEffect>): Promise<FaultEffect> {
  const at = Date.now();
  try {
    return await run();
  } catch (error) {
    return { at, healedAt: Date.now(), hit: [], skipped: `failed: ${(error as Error).message}` };
  }
}
