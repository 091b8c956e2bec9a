import { z } from 'zod';
import { list, queryInt, string } from '../schema-primitives.ts';
import { EVENT_TYPES, type EventType } from './events.ts';

/** Requests for event streams. The events themselves: `event-schemas.ts`. */

/** `job.completed,job.failed`, or a domain as `job.*`; may be repeated. */
const eventTypes = z
  .union([string(2000), list(string(200), { max: 50 })])
  .transform((given) => [given].flat().flatMap((list) => list.split(',')))
  .transform((names, context) => {
    const types = names.flatMap((name) => {
      const matching = EVENT_TYPES.filter(
        (type) => type === name || (name.endsWith('.*') && type.startsWith(name.slice(0, -1))),
      );
      if (matching.length === 0) {
        context.addIssue({ code: 'custom', message: `there is no event ${name.slice(0, 100)}` });
      }
      return matching;
    });
    return [...new Set<EventType>(types)];
  });

/**
 * Query of `GET /events` and `GET /jobs/{id}/events`. `after` and `last_event_id` are event
 * cursors.
 */
export const listEventsQuery = z.strictObject({
  after: string(100).optional(),
  last_event_id: string(100).optional(),
  limit: queryInt(1, 1000).optional(),
  type: eventTypes.optional(),
  format: z.enum(['sse', 'json', 'ndjson']).optional(),
});

/** A message of a WebSocket client of `/live`. */
export const liveRequest = z.union(
  [
    z.strictObject({ authenticate: z.string().min(1).max(500) }),
    z.strictObject({
      subscribe: z.strictObject({
        /** Chosen by the client; every message of this subscription carries it. */
        id: string(100).default(''),
        job_id: z.uuid().optional(),
        types: eventTypes.optional(),
      }),
      last_event_id: string(100).optional(),
    }),
    z.strictObject({ unsubscribe: string(100) }),
  ],
  'expected {"authenticate": …}, {"subscribe": {…}} or {"unsubscribe": …}',
);
