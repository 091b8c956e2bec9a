import type { Child } from './child.ts';
import { cpuTimes, perJob } from './cpu.ts';

/** What draining a backlog came to. */
export interface Drained {
  perSecond: number;
  /** Jobs that were begun when it was stopped. */
  hits: number;
  /** Processor time a job in microseconds, by process and in all. */
  cpuMicros: Record<string, number>;
}

/** Lets a worker process drain, and notes what it cost these processes. */
export async function drainWith(
  worker: Child,
  roots: Record<string, number>,
  options: { count: number; setting?: Record<string, unknown> },
): Promise<Drained> {
  const before = cpuTimes(roots);
  const result = await worker.call<{ perSecond: number; hits: number }>('drain', options);
  return { ...result, cpuMicros: perJob(before, cpuTimes(roots), result.hits) };
}

/** The round of middle speed. */
export function medianOf(rounds: Drained[]): Drained {
  const sorted = [...rounds].sort((a, b) => a.perSecond - b.perSecond);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? { perSecond: Number.NaN, hits: 0, cpuMicros: {} };
}
