/** When a request is sent again: decided here, waited for in `transport.ts`. */

export interface RetryPolicy {
  /** Requests after the first; 0 for none. */
  retries: number;
  /** Delay before the first repetition in milliseconds, doubled each time and jittered. */
  baseMs: number;
  /** Longest delay in milliseconds; a longer `Retry-After` is an error at once. */
  capMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { retries: 4, baseMs: 250, capMs: 30_000 };

/** How a request ended without an answer that counts. */
export type Failure =
  | { kind: 'answer'; status: number; retryAfterMs: number | null }
  /** No answer; whether the server got the request is unknown. */
  | { kind: 'connection' };

/** 429 and 503 say that nothing was done; 502 and 504 are a proxy's, and say nothing. */
const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Milliseconds until the request is sent again; null if it is not.
 *
 * @param repeats how often it was sent again before
 * @param isSafe it may be repeated although it may have been done: it reads, or has an
 *   Idempotency-Key
 * @param random 0 to 1
 */
export function retryDelay(
  failure: Failure,
  repeats: number,
  policy: RetryPolicy,
  isSafe: boolean,
  random: number,
): number | null {
  if (repeats >= policy.retries) return null;
  const isRefusal = failure.kind === 'answer' && (failure.status === 429 || failure.status === 503);
  if (!isSafe && !isRefusal) return null;
  if (failure.kind === 'answer') {
    if (!AGAIN.has(failure.status)) return null;
    if (failure.retryAfterMs !== null) {
      return failure.retryAfterMs > policy.capMs ? null : failure.retryAfterMs;
    }
  }
  const longest = Math.min(policy.capMs, policy.baseMs * 2 ** repeats);
  return Math.round(longest * (0.5 + random / 2));
}

/** `Retry-After`, in seconds or as a date, in milliseconds; null if there is none. */
export function parseRetryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
