import type { ErrorInfo } from '../../core/errors.ts';
import type { RetryPolicy } from '../../core/jobs/retry.ts';
import type { Receipt, SendOutcome } from '../../core/notifications/delivery.ts';
import type { SentChannel } from '../../core/notifications/notification.ts';
import type { ClaimedDelivery } from '../../db/notifications/deliveries/claim.ts';

/**
 * A way to reach a user. A message it cannot send is an outcome; it throws only on unexpected
 * errors.
 */
export interface Channel {
  readonly name: SentChannel;
  readonly maxAttempts: number;
  readonly retry: RetryPolicy;
  /** Messages sent at the same time. */
  readonly concurrency: number;
  /**
   * How many lease times one attempt may take: a mail server may take long to answer "250", and
   * aborting it means that the mail is sent twice.
   */
  readonly leases: number;
  /** Key of the circuit breaker: the host of a webhook or push service, the one mail server. */
  circuitKey(delivery: ClaimedDelivery): string;
  /**
   * Sends one message. A mail has one or more deliveries, other messages exactly one.
   * @param signal fires when the time for sending is over
   */
  send(deliveries: [ClaimedDelivery, ...ClaimedDelivery[]], signal: AbortSignal): Promise<SendOutcome>;
  stop?(): void;
}

export const NO_RECEIPT: Receipt = { status: null, body: null };

export const refused = (error: ErrorInfo, receipt: Receipt = NO_RECEIPT): SendOutcome => ({
  kind: 'refused',
  error,
  receipt,
});

export const retry = (error: ErrorInfo, receipt: Receipt = NO_RECEIPT): SendOutcome => ({
  kind: 'retry',
  error,
  receipt,
});
