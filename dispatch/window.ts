import type { WindowState } from '../db/jobs/dispatch.ts';

/**
 * The queue holds about this much of the fleet's recent work; the rest waits in Postgres, in
 * mutable order.
 */
const WINDOW_SECONDS = 2;
/** So that a fleet that has just started, without recent work, does not start one job at a time. */
const SMALLEST_WINDOW = 16;

/** `windowSize`, except in the bench, which measures dispatching without workers. */
export type SizeOf = (window: Pick<WindowState, 'slots' | 'claimsPerSecond'>) => number;

/**
 * How many jobs may be on the queue, unclaimed. At least two per slot: one starts when the other
 * ends.
 */
export function windowSize({
  slots,
  claimsPerSecond,
}: Pick<WindowState, 'slots' | 'claimsPerSecond'>): number {
  return Math.max(SMALLEST_WINDOW, 2 * slots, Math.ceil(WINDOW_SECONDS * claimsPerSecond));
}

/**
 * Chooses the candidates to enqueue now. For a job, only jobs at least as urgent fill the window: a
 * window full of ordinary work does not delay an urgent job.
 *
 * @param candidates most urgent first, then oldest
 * @param dispatched how many are on the queue already, by priority
 */
export function chooseForWindow<Job extends { priority: number }>(
  candidates: Job[],
  dispatched: ReadonlyMap<number, number>,
  size: number,
): Job[] {
  const chosen: Job[] = [];
  for (const candidate of candidates) {
    if (countAtLeast(dispatched, candidate.priority) + chosen.length >= size) break;
    chosen.push(candidate);
  }
  return chosen;
}

export function countAtLeast(dispatched: ReadonlyMap<number, number>, priority: number): number {
  let count = 0;
  for (const [other, jobs] of dispatched) if (other >= priority) count += jobs;
  return count;
}
