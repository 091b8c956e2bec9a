import type { Database } from '../../db/connect.ts';
import { fanOut, type MailPace, type NotifiableEvent } from '../../db/notifications/fan-out.ts';
import { retryWhileUnavailable } from '../../db/retry-while-unavailable.ts';
import type { Handler } from '../../queue/queue.ts';
import { createBatcher } from '../../runtime/batch.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { readNotification } from './message.ts';

/** Events in one statement: at 100 it tells some thousand a second, and more gain nothing. */
export const FAN_OUT_BATCH = 100;

/** Handles a message of `job_notifications`: whoever is to be told has it in the database, then it is acknowledged. */
export function createFanOut(options: {
  database: Database;
  mailPace: MailPace;
  logger: Logger;
  stopping: AbortSignal;
}): Handler {
  const { database, logger } = options;
  const fanOutTogether = createBatcher<NotifiableEvent, { refusedFor: string | null }>(
    async (events) => {
      const { refused, ...told } = await fanOut(database, events, options.mailPace);
      logger.debug('fanned_out', { events: events.length, ...told });
      const reasons = new Map(refused.map(({ id, error }) => [id, String(error)]));
      return events.map(({ id }) => ({ refusedFor: reasons.get(id) ?? null }));
    },
    { maxItems: FAN_OUT_BATCH, maxRuns: 1 },
  );

  return async ({ envelope, signal }) => {
    const message = readNotification(envelope);
    switch (message.kind) {
      case 'unknown_type':
        logger.warn('notification_type_unknown', { type: envelope.type, message_id: envelope.id });
        return { kind: 'ack' };
      case 'broken':
        return { kind: 'dead_letter', reason: message.reason };
      case 'read': {
        // Kept while the database is away: given back, it would use up the deliveries that a broker allows a message.
        const done = await retryWhileUnavailable([options.stopping, signal], logger, () =>
          fanOutTogether(message.value),
        );
        if (!done) return { kind: 'give_back' };
        return done.refusedFor === null ? { kind: 'ack' } : { kind: 'dead_letter', reason: done.refusedFor };
      }
      default:
        return message satisfies never;
    }
  };
}
