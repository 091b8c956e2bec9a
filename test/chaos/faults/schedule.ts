import { setTimeout as delay } from 'node:timers/promises';
import { type FaultContext, type FaultEffect, prepareFault } from './faults.ts';
import type { FaultKind, PlannedFault } from './plan.ts';

export interface FaultRecord extends FaultEffect {
  number: number;
  kind: FaultKind;
}

const BESIDE_MS = 300;

/** Carries out the schedule for so long, and at least so many faults of it; resolves when the last one has healed. */
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
    const happened = records.filter(({ skipped }) => !skipped).length;
    if (performance.now() - begun > totalMs && happened >= atLeast) break;
    const act = prepareFault(planned, context);
    const free = Promise.all(act.holds.map((hold) => held.get(hold)));
    const done = free.then(async () => {
      const record = { number: planned.number, kind: planned.kind, ...(await safely(act.run)) };
      records.push(record);
      onFault(record);
    });
    for (const hold of act.holds) held.set(hold, done);
    underWay.push(done);
  }
  await Promise.all(underWay);
  return records;
}

/** A fault that could not be done is told, and is none. */
async function safely(run: () => Promise<FaultEffect>): Promise<FaultEffect> {
  const at = Date.now();
  try {
    return await run();
  } catch (error) {
    return { at, healedAt: Date.now(), hit: [], skipped: `failed: ${(error as Error).message}` };
  }
}
