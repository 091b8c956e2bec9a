import type { ErrorInfo } from '../../core/errors.ts';
import type { RetryPolicy } from '../../core/jobs/retry.ts';
import type { Receipt, SendOutcome } from '../../core/notifications/delivery.ts';
import type { SentChannel } from '../../core/notifications/notification.ts';
import type { ClaimedDelivery } from '../../db/notifications/deliveries/claim.ts';

/** A way to reach somebody. What it cannot send is an outcome; it throws only what nobody foresaw. */
export interface Channel {
  readonly name: SentChannel;
  readonly maxAttempts: number;
  readonly retry: RetryPolicy;
  /** How many it sends at the same time. */
  readonly concurrency: number;
  /** So many leases long one attempt may take: a mail server may think for long before it says "250", and giving up on it means a copy. */
  readonly leases: number;
  /** What fails together: the host of a webhook or push service, the one mail server. */
  circuitKey(delivery: ClaimedDelivery): string;
  /**
   * Sends one message. A mail has several deliveries, the others one.
   * @param signal fires when there is no more time
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
