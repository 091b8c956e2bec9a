import type { DomainEvent } from '../core/events/events.ts';
import { createEnvelope, type Envelope } from '../queue/envelope.ts';

const EVENT_SOURCE = 'leadengine.relay';

/** The envelope of an event, the same in a queue, a stream and the ledger. */
export const eventEnvelope = (event: DomainEvent): Envelope =>
  createEnvelope({
    id: event.id,
    type: event.type,
    version: event.version,
    occurred_at: event.occurred_at.toISOString(),
    source: EVENT_SOURCE,
    correlation_id: event.correlation_id,
    user_id: event.user_id,
    data: event.data,
  });
