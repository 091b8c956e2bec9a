/** How long to wait between attempts. Times in milliseconds. */
export interface RetryPolicy {
  baseMs: number;
  capMs: number;
}

/**
 * Exponential back-off with equal jitter: half of the doubled delay is certain, half is random. A fleet whose jobs failed
 * together does not come back together, and no retry is ever immediate (which full jitter allows).
 *
 * @param attempt the attempt that just failed, from 1
 * @param random in [0, 1), given so that the decision can be tested
 */
export function backoffMs(attempt: number, policy: RetryPolicy, random: number): number {
  const doubled = policy.baseMs * 2 ** Math.min(attempt - 1, 30);
  const ceiling = Math.min(doubled, policy.capMs);
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
