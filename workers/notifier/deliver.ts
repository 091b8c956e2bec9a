import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ErrorCode } from '../../core/errors.ts';
import { type SendOutcome, settleDelivery } from '../../core/notifications/delivery.ts';
import type { Database } from '../../db/connect.ts';
import {
  type ClaimedDelivery,
  claimDeliveries,
  claimMail,
  type DeliveryClaim,
} from '../../db/notifications/deliveries/claim.ts';
import {
  type DeliverySettlement,
  type PauseRule,
  settleDeliveries,
} from '../../db/notifications/deliveries/settle.ts';
import { retryWhileUnavailable } from '../../db/retry-while-unavailable.ts';
import type { Delivery, Handler } from '../../queue/queue.ts';
import { createBatcher } from '../../runtime/batch.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { type Channel, NO_RECEIPT, retry } from './channel.ts';
import type { DeliveryCircuitBreakers } from './circuit-breakers.ts';
import { readWakeUp } from './message.ts';

/** Deliveries sent as one message. */
type DeliveryBatch = [ClaimedDelivery, ...ClaimedDelivery[]];

export interface DeliverOptions {
  database: Database;
  circuits: DeliveryCircuitBreakers;
  leaseMs: number;
  rule: PauseRule;
  logger: Logger;
  /** Fires when no more deliveries are begun. */
  drain: AbortSignal;
  /** Fires when messages being sent must end now. */
  abort: AbortSignal;
  /**
   * Fires when there is no time left to settle: the lease expires, and the message is sent again.
   */
  kill: AbortSignal;
}

/**
 * A host slower than this gets at most half of the slots; its other messages wait in Postgres.
 * Urgent messages may use half of the rest too, so that they do not wait for the host's ordinary
 * ones.
 */
const SLOW_MS = 1000;
const SLOW_SHARE = 0.5;
const SLOW_URGENT_SHARE = 0.75;
const BUSY_SNOOZE_MS = 1000;
const HOSTS = 5000;
/** Share of the lease for sending; the rest is for settling. */
const SENDING_SHARE = 0.7;

/**
 * Handles a wake-up message of a channel's queue: claim, send, settle, and only then acknowledge.
 */
export function createDeliver(channel: Channel, options: DeliverOptions): Handler {
  const { database, logger } = options;
  const leaseMs = options.leaseMs * channel.leases;
  const claim = createClaim(channel, { ...options, leaseMs });
  const settleTogether = createBatcher<DeliverySettlement, void>(
    async (settlements) => {
      const paused = await settleDeliveries(database, settlements, options.rule);
      for (const { id, url } of paused)
        logger.warn('webhook_paused', { webhook_id: id, host: new URL(url).host });
      return settlements.map(() => undefined);
    },
    { maxItems: 64, maxRuns: 1 },
  );
  const inFlight = new Map<string, number>();
  const lastDuration = new LRUCache<string, number>({ max: HOSTS });

  return async (delivery) => {
    const message = readWakeUp(delivery.envelope, channel.name);
    switch (message.kind) {
      case 'unknown_type':
        logger.warn('notification_type_unknown', {
          type: delivery.envelope.type,
          message_id: delivery.envelope.id,
        });
        return { kind: 'ack' };
      case 'broken':
        return { kind: 'dead_letter', reason: message.reason };
      case 'read': {
        const holder = randomUUID();
        const batch = await claim(message.value, holder, delivery);
        if (batch === 'stopping') return { kind: 'requeue' };
        if (batch !== 'not_ours') await deliver(batch, holder);
        return { kind: 'ack' };
      }
      default:
        return message satisfies never;
    }
  };

  async function deliver(batch: DeliveryBatch, holder: string): Promise<void> {
    const [first] = batch;
    const begin = performance.now();
    const outcome = await sendInTime(batch);
    const durationMs = performance.now() - begin;
    const { maxAttempts } = channel;
    const transition = settleDelivery({ ...first, maxAttempts }, outcome, channel.retry, Math.random());
    const settlement = { ids: batch.map(({ id }) => id), holder, transition, durationMs };
    await retryWhileUnavailable([options.kill], logger, () => settleTogether(settlement).then(() => true));
    const level = transition.status === 'failed' ? 'warn' : 'info';
    logger[level](`notification_${transition.status === 'queued' ? outcome.kind : transition.status}`, {
      channel: channel.name,
      delivery_id: first.id,
      deliveries: batch.length,
      type: first.type,
      attempt: first.attempt,
      duration_ms: Math.round(durationMs),
      error: transition.error?.code,
      next_in_ms: transition.status === 'queued' ? transition.delayMs : undefined,
    });
  }

  async function sendInTime(batch: DeliveryBatch): Promise<SendOutcome> {
    const key = channel.circuitKey(batch[0]);
    const concurrent = inFlight.get(key) ?? 0;
    const isSlow = (lastDuration.get(key) ?? 0) > SLOW_MS;
    const share = batch[0].urgent ? SLOW_URGENT_SHARE : SLOW_SHARE;
    if (isSlow && concurrent > 0 && concurrent >= channel.concurrency * share) {
      const error = { code: 'endpoint_busy', message: 'other messages are being sent to it' };
      return { kind: 'snooze', error, delayMs: BUSY_SNOOZE_MS };
    }
    inFlight.set(key, concurrent + 1);
    const begin = performance.now();
    try {
      return await options.circuits.send(`${channel.name} ${key}`, async () => {
        const signal = AbortSignal.any([options.abort, AbortSignal.timeout(leaseMs * SENDING_SHARE)]);
        try {
          return await channel.send(batch, signal);
        } catch (error) {
          if (options.abort.aborted) return released;
          if (signal.aborted) return tooLate;
          logger.error('notification_send_failed', {
            channel: channel.name,
            delivery_id: batch[0].id,
            error,
          });
          const message = error instanceof Error ? error.message : String(error);
          return {
            kind: 'retry',
            error: { code: ErrorCode.internal, message },
            receipt: NO_RECEIPT,
          };
        }
      });
    } finally {
      lastDuration.set(key, performance.now() - begin);
      const left = (inFlight.get(key) ?? 1) - 1;
      if (left === 0) inFlight.delete(key);
      else inFlight.set(key, left);
    }
  }
}

const tooLate: SendOutcome = retry({ code: 'timeout', message: 'it was not sent in time' });

const released: SendOutcome = {
  kind: 'snooze',
  error: { code: 'released', message: 'the notifier is shutting down' },
  delayMs: 0,
};

function createClaim(channel: Channel, { database, leaseMs, logger, drain }: DeliverOptions) {
  const claimTogether = createBatcher<DeliveryClaim & { holder: string }, ClaimedDelivery | undefined>(
    async (claims) => {
      const claimed = await claimDeliveries(database, claims, leaseMs);
      const byHolder = new Map(claimed.map((delivery) => [delivery.holder, delivery]));
      return claims.map(({ holder }) => byHolder.get(holder));
    },
    { maxItems: 64, maxRuns: 1 },
  );

  return async (
    request: DeliveryClaim,
    holder: string,
    { signal }: Pick<Delivery, 'signal'>,
  ): Promise<DeliveryBatch | 'not_ours' | 'stopping'> => {
    const claimed = await retryWhileUnavailable([drain, signal], logger, async () => {
      if (channel.name === 'email') return claimMail(database, request, { holder, leaseMs });
      return [await claimTogether({ ...request, holder })].filter((delivery) => delivery !== undefined);
    });
    if (!claimed) return 'stopping';
    const [first, ...others] = claimed;
    return first ? [first, ...others] : 'not_ours';
  };
}
