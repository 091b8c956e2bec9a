import type { Child } from './child.ts';
import { cpuTimes, perJob } from './cpu.ts';

/** The result of draining a backlog. */
export interface Drained {
  perSecond: number;
  /** Jobs that had started when it was stopped. */
  hits: number;
  /** Processor time per job in microseconds, by process and in total. */
  cpuMicros: Record<string, number>;
}

/** Lets a worker process drain, and measures what it costs these processes. */
export async function drainWith(
  worker: Child,
  roots: Record<string, number>,
  options: { count: number; setting?: Record<string, unknown> },
): Promise<Drained> {
  const before = cpuTimes(roots);
  const result = await worker.call<{ perSecond: number; hits: number }>('drain', options);
  return { ...result, cpuMicros: perJob(before, cpuTimes(roots), result.hits) };
}

/** The round of median speed. */
export function medianOf(rounds: Drained[]): Drained {
  const sorted = [...rounds].sort((a, b) => a.perSecond - b.perSecond);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? { perSecond: Number.NaN, hits: 0, cpuMicros: {} };
}
