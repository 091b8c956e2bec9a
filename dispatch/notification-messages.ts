import type { DomainEvent } from '../core/events/events.ts';
import {
  isNotifiable,
  notificationType,
  SENT_CHANNELS,
  type SentChannel,
} from '../core/notifications/notification.ts';
import type { DueDelivery } from '../db/notifications/deliveries/dispatch.ts';
import type { NotifiableEvent } from '../db/notifications/fan-out.ts';
import { createEnvelope } from '../queue/envelope.ts';
import type { OutgoingMessage } from '../queue/queue.ts';
import {
  CHANNEL_QUEUES,
  DEAD_LETTER_EXCHANGE,
  deadLettersOf,
  NOTIFICATIONS,
  sendKey,
} from '../queue/topology.ts';

const RELAY = 'leadengine.relay';
const SOURCE = 'leadengine.dispatch';
const VERSION = '1.0';

/** The event as the fan-out takes it; null if events of this type notify no one. */
export function toNotifiable(event: DomainEvent): NotifiableEvent | null {
  if (!event.user_id || !isNotifiable(event.type)) return null;
  return {
    id: event.id,
    type: event.type,
    user_id: event.user_id,
    job_id: event.job_id,
    correlation_id: event.correlation_id,
    occurred_at: event.occurred_at.toISOString(),
    data: event.data,
  };
}

/**
 * Requests the fan-out of an event. The message has the event's id, which makes a duplicate
 * harmless.
 */
export const notificationMessage = (event: NotifiableEvent): OutgoingMessage => ({
  exchange: NOTIFICATIONS,
  routingKey: notificationType(event.type),
  mandatory: true,
  envelope: createEnvelope({
    id: event.id,
    type: notificationType(event.type),
    version: VERSION,
    occurred_at: event.occurred_at,
    source: RELAY,
    correlation_id: event.correlation_id,
    user_id: event.user_id,
    data: event.job_id ? { ...event.data, job_id: event.job_id } : event.data,
  }),
});

/**
 * The wake-up message of a delivery: "delivery D, which had N attempts, is due". Its text is in
 * Postgres.
 */
export const sendMessage = (delivery: DueDelivery): OutgoingMessage => ({
  exchange: NOTIFICATIONS,
  routingKey: sendKey(delivery.channel),
  mandatory: true,
  envelope: createEnvelope({
    type: sendKey(delivery.channel),
    version: VERSION,
    source: SOURCE,
    correlation_id: delivery.correlationId,
    user_id: delivery.userId,
    data: { delivery_id: delivery.id, attempt: delivery.attempt },
  }),
});

/**
 * Dead-letters a delivery that failed permanently; from the ledger, as for jobs. Null for other
 * events.
 */
export function deadNotification(event: DomainEvent): OutgoingMessage | null {
  const { channel } = event.data;
  if (event.type !== 'notification.failed' || !isSentChannel(channel)) return null;
  return {
    exchange: DEAD_LETTER_EXCHANGE,
    routingKey: deadLettersOf(CHANNEL_QUEUES[channel]),
    mandatory: true,
    envelope: createEnvelope({
      id: event.id,
      type: sendKey(channel),
      version: event.version,
      occurred_at: event.occurred_at.toISOString(),
      source: RELAY,
      correlation_id: event.correlation_id,
      user_id: event.user_id,
      data: event.data,
    }),
  };
}

const isSentChannel = (channel: unknown): channel is SentChannel =>
  (SENT_CHANNELS as readonly unknown[]).includes(channel);
