/** Delays between attempts, in milliseconds. */
export interface RetryPolicy {
  baseMs: number;
  capMs: number;
}

/**
 * Exponential back-off with equal jitter: half of the doubled delay is fixed, half is random. Jobs
 * that failed together do not retry together, and no retry is immediate (which full jitter allows).
 *
 * @param attempt the attempt that just failed, from 1
 * @param random in [0, 1), a parameter so that tests can fix it
 */
export function backoffMs(attempt: number, policy: RetryPolicy, random: number): number {
  const doubled = policy.baseMs * 2 ** Math.min(attempt - 1, 30);
  const ceiling = Math.min(doubled, policy.capMs);
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
