import type { ErrorInfo } from '../errors.ts';
import { PAGE_ERRORS, pageErrorConsequence } from '../jobs/page-errors.ts';
import { backoffMs, type RetryPolicy } from '../jobs/retry.ts';

/**
 * A delivery sends one notification to one target over one channel.
 *
 * | state     | in by                                     | out by                                   |
 * | queued    | fan-out, back-off, release, redeliver     | claim -> sending, pause -> failed        |
 * | sending   | claim                                     | settle; an expired lease -> queued       |
 * | delivered | settle                                    | only an explicit redelivery              |
 * | failed    | settle, the endpoint's pause              | only an explicit redelivery              |
 *
 * A queued delivery is due at `due_at`. The pruner deletes those in the two final states.
 */
export type DeliveryStatus = 'queued' | 'sending' | 'delivered' | 'failed';

/** The stored part of a receiver's response. */
export interface Receipt {
  /** HTTP status or SMTP reply code; null without a response. */
  status: number | null;
  /** The first kilobyte at most. */
  body: string | null;
}

/** The outcome of one attempt to send. */
export type SendOutcome =
  | { kind: 'delivered'; receipt: Receipt }
  /** May succeed later; costs an attempt. `retryAfterMs` is the receiver's `Retry-After`. */
  | { kind: 'retry'; error: ErrorInfo; receipt: Receipt; retryAfterMs?: number }
  /** Never succeeds: no such address, gone, blocked by the egress guard. */
  | { kind: 'refused'; error: ErrorInfo; receipt: Receipt; gone?: boolean }
  /** Not attempted (circuit open, process stopping): costs no attempt. */
  | { kind: 'snooze'; error: ErrorInfo; delayMs: number };

/**
 * Codes of failures that sending again cannot help; a webhook that was paused may be resumed first.
 * Those of connections are the permanent ones of pages, except a bad certificate, which gets renewed.
 */
export const PERMANENT_DELIVERY_ERRORS: readonly string[] = [
  ...['gone', 'endpoint_paused', 'mail_refused', 'push_keys_invalid', 'push_rejected'],
  ...Object.keys(PAGE_ERRORS).filter(
    (code) => code !== 'tls_failed' && pageErrorConsequence(code) === 'permanent',
  ),
];

export interface DeliveryTransition {
  status: 'queued' | 'delivered' | 'failed';
  delayMs: number;
  spendsAttempt: boolean;
  error: ErrorInfo | null;
  receipt: Receipt | null;
  /** The target is permanently gone. */
  gone: boolean;
}

/** Older deliveries are not sent: a channel that was down this long drops its backlog. */
export const STALE_AFTER_MS = 3 * 24 * 3_600_000;
const LONGEST_RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * Decides the next state of a delivery after an attempt. Pure, like `settle` of a job.
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
