import type { ErrorInfo } from '../errors.ts';
import { backoffMs, type RetryPolicy } from '../jobs/retry.ts';

/**
 * A delivery is one notification on its way to one target by one channel.
 *
 * | state     | in by                                     | out by                                   |
 * | queued    | fan-out, back-off, release, redeliver     | claim -> sending, pause -> failed        |
 * | sending   | claim                                     | settle; a lease that ran out -> queued   |
 * | delivered | settle                                    | only an explicit redelivery              |
 * | failed    | settle, the endpoint's pause              | only an explicit redelivery              |
 *
 * A queued one may be due later; `due_at` says when. The two final states are removed by the pruner.
 */
export type DeliveryStatus = 'queued' | 'sending' | 'delivered' | 'failed';

/** What a receiver answered, as far as it is kept. */
export interface Receipt {
  /** HTTP status or SMTP reply code; null where there was no answer. */
  status: number | null;
  /** At most the first kilobyte. */
  body: string | null;
}

/** How one attempt to send ended. */
export type SendOutcome =
  | { kind: 'delivered'; receipt: Receipt }
  /** May succeed later; costs an attempt. `retryAfterMs` is what the receiver asked for. */
  | { kind: 'retry'; error: ErrorInfo; receipt: Receipt; retryAfterMs?: number }
  /** Never will: no such address, gone, refused by the egress guard. */
  | { kind: 'refused'; error: ErrorInfo; receipt: Receipt; gone?: boolean }
  /** Nothing was tried (the circuit is open, the process ends): no attempt is spent. */
  | { kind: 'snooze'; error: ErrorInfo; delayMs: number };

export interface DeliveryTransition {
  status: 'queued' | 'delivered' | 'failed';
  delayMs: number;
  spendsAttempt: boolean;
  error: ErrorInfo | null;
  receipt: Receipt | null;
  /** The target will never take anything again. */
  gone: boolean;
}

/** Of news nobody wants any more: a channel that was down for so long does not send its backlog. */
export const STALE_AFTER_MS = 3 * 24 * 3_600_000;
const LONGEST_RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * Decides what becomes of a delivery that was tried. Pure, like `settle` of a job.
 *
 * @param delivery `attempt` counts from 1 and includes this one; `ageMs` since it was first queued, or redelivered
 * @param random in [0, 1), the jitter
 */
export function settleDelivery(
  delivery: { attempt: number; maxAttempts: number; ageMs: number },
  outcome: SendOutcome,
  policy: RetryPolicy,
  random: number,
): DeliveryTransition {
  const base = { delayMs: 0, spendsAttempt: true, error: null, receipt: null, gone: false };
  switch (outcome.kind) {
    case 'delivered':
      return { ...base, status: 'delivered', receipt: outcome.receipt };
    case 'refused': {
      const { error, receipt, gone = false } = outcome;
      return { ...base, status: 'failed', error, receipt, gone };
    }
    case 'retry': {
      const { error, receipt } = outcome;
      if (delivery.attempt >= delivery.maxAttempts) return { ...base, status: 'failed', error, receipt };
      const asked = Math.min(outcome.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
      const delayMs = Math.max(backoffMs(delivery.attempt, policy, random), asked);
      return { ...base, status: 'queued', delayMs, error, receipt };
    }
    case 'snooze':
      if (delivery.ageMs > STALE_AFTER_MS) return { ...base, status: 'failed', error: outcome.error };
      return {
        ...base,
        status: 'queued',
        delayMs: outcome.delayMs,
        spendsAttempt: false,
        error: outcome.error,
      };
    default:
      return outcome satisfies never;
  }
}
