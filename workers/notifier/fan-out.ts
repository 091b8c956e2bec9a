import type { Database } from '../../db/connect.ts';
import { fanOut, type MailPace, type NotifiableEvent } from '../../db/notifications/fan-out.ts';
import { retryWhileUnavailable } from '../../db/retry-while-unavailable.ts';
import type { Handler } from '../../queue/queue.ts';
import { createBatcher } from '../../runtime/batch.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { readNotification } from './message.ts';

/** Events per statement: 100 give about a thousand events per second, and more gain nothing. */
export const FAN_OUT_BATCH = 100;

/**
 * Handles a message of `job_notifications`: stores the notifications of its event, then
 * acknowledges it.
 */
export function createFanOut(options: {
  database: Database;
  mailPace: MailPace;
  logger: Logger;
  drain: AbortSignal;
}): Handler {
  const { database, logger } = options;
  const fanOutTogether = createBatcher<NotifiableEvent, { refusedFor: string | null }>(
    async (events) => {
      const { refused, ...counts } = await fanOut(database, events, options.mailPace);
      logger.debug('fanned_out', { events: events.length, ...counts });
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
        // Held while the database is unavailable: requeued, it would reach the broker's delivery
        // limit.
        const done = await retryWhileUnavailable([options.drain, signal], logger, () =>
          fanOutTogether(message.value),
        );
        if (!done) return { kind: 'requeue' };
        return done.refusedFor === null ? { kind: 'ack' } : { kind: 'dead_letter', reason: done.refusedFor };
      }
      default:
        return message satisfies never;
    }
  };
}
