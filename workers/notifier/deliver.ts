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
import type { Circuits } from './circuit-breakers.ts';
import { readRing } from './message.ts';

type Parcel = [ClaimedDelivery, ...ClaimedDelivery[]];

export interface DeliverOptions {
  database: Database;
  circuits: Circuits;
  leaseMs: number;
  rule: PauseRule;
  logger: Logger;
  /** Fires when no more is begun. */
  stopping: AbortSignal;
  /** Fires when what is being sent must end now. */
  givingUp: AbortSignal;
  /** Fires when there is no time left even to write it down: the lease runs out, and it is sent again. */
  leaving: AbortSignal;
}

/**
 * A host that takes so long has half of the slots at most; what is beyond waits in Postgres, and others get their turn. What is urgent
 * may have half of the rest too: it does not wait for the host's ordinary messages.
 */
const SLOW_MS = 1000;
const SLOW_SHARE = 0.5;
const SLOW_URGENT_SHARE = 0.75;
const CROWDED_MS = 1000;
const HOSTS = 5000;
/** Of the lease, what sending may take; the rest is for writing down how it ended. */
const SENDING_SHARE = 0.7;

/** Handles a message of a channel's queue: claim, send, settle, and only then acknowledge. */
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
  const inHand = new Map<string, number>();
  const lastTook = new LRUCache<string, number>({ max: HOSTS });

  return async (delivery) => {
    const message = readRing(delivery.envelope, channel.name);
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
        const parcel = await claim(message.value, holder, delivery);
        if (parcel === 'stopping') return { kind: 'give_back' };
        if (parcel !== 'not_ours') await deliver(parcel, holder);
        return { kind: 'ack' };
      }
      default:
        return message satisfies never;
    }
  };

  async function deliver(parcel: Parcel, holder: string): Promise<void> {
    const [first] = parcel;
    const begin = performance.now();
    const outcome = await sendWithin(parcel);
    const durationMs = performance.now() - begin;
    const { maxAttempts } = channel;
    const transition = settleDelivery({ ...first, maxAttempts }, outcome, channel.retry, Math.random());
    const settlement = { ids: parcel.map(({ id }) => id), holder, transition, durationMs };
    await retryWhileUnavailable([options.leaving], logger, () => settleTogether(settlement).then(() => true));
    const level = transition.status === 'failed' ? 'warn' : 'info';
    logger[level](`notification_${transition.status === 'queued' ? outcome.kind : transition.status}`, {
      channel: channel.name,
      delivery_id: first.id,
      deliveries: parcel.length,
      type: first.type,
      attempt: first.attempt,
      duration_ms: Math.round(durationMs),
      error: transition.error?.code,
      next_in_ms: transition.status === 'queued' ? transition.delayMs : undefined,
    });
  }

  async function sendWithin(parcel: Parcel): Promise<SendOutcome> {
    const key = channel.circuitOf(parcel[0]);
    const crowd = inHand.get(key) ?? 0;
    const isSlow = (lastTook.get(key) ?? 0) > SLOW_MS;
    const share = parcel[0].urgent ? SLOW_URGENT_SHARE : SLOW_SHARE;
    if (isSlow && crowd > 0 && crowd >= channel.concurrency * share) {
      const error = { code: 'endpoint_busy', message: 'others are under way to it' };
      return { kind: 'snooze', error, delayMs: CROWDED_MS };
    }
    inHand.set(key, crowd + 1);
    const begin = performance.now();
    try {
      return await options.circuits.send(`${channel.name} ${key}`, async () => {
        const signal = AbortSignal.any([options.givingUp, AbortSignal.timeout(leaseMs * SENDING_SHARE)]);
        try {
          return await channel.send(parcel, signal);
        } catch (error) {
          if (options.givingUp.aborted) return released;
          if (signal.aborted) return tooLate;
          logger.error('notification_send_failed', {
            channel: channel.name,
            delivery_id: parcel[0].id,
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
      lastTook.set(key, performance.now() - begin);
      const left = (inHand.get(key) ?? 1) - 1;
      if (left === 0) inHand.delete(key);
      else inHand.set(key, left);
    }
  }
}

const tooLate: SendOutcome = retry({ code: 'timeout', message: 'it was not sent in time' });

const released: SendOutcome = {
  kind: 'snooze',
  error: { code: 'released', message: 'the notifier was told to stop' },
  delayMs: 0,
};

function createClaim(channel: Channel, { database, leaseMs, logger, stopping }: DeliverOptions) {
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
  ): Promise<Parcel | 'not_ours' | 'stopping'> => {
    const claimed = await retryWhileUnavailable([stopping, signal], logger, async () => {
      if (channel.name === 'email') return claimMail(database, request, { holder, leaseMs });
      return [await claimTogether({ ...request, holder })].filter((delivery) => delivery !== undefined);
    });
    if (!claimed) return 'stopping';
    const [first, ...others] = claimed;
    return first ? [first, ...others] : 'not_ours';
  };
}
