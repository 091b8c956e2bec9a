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

/** The event as the fan-out takes it; null where nobody is ever told of such an event. */
export function tellable(event: DomainEvent): NotifiableEvent | null {
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

/** Asks for the fan-out of an event; the message has the event's own id, which is what makes a second one harmless. */
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

/** The doorbell of a delivery: "delivery D, which had N attempts, is due". What it says is in Postgres. */
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

/** A delivery that failed for good, on its way to its channel's dead letters; from the ledger, as those of jobs are. */
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
