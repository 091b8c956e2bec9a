import type { Database } from '../db/connect.ts';
import {
  advanceCursor,
  type EventCursor,
  findCursor,
  followLedger,
  readEvents,
} from '../db/events/events.ts';
import { fanOut, type MailPace } from '../db/notifications/fan-out.ts';
import type { Queue } from '../queue/queue.ts';
import { JOB_NOTIFICATIONS, URGENT_NOTIFICATIONS } from '../queue/topology.ts';
import type { Logger } from '../runtime/log/logger.ts';
import { toNotifiable } from './notification-messages.ts';

const READER = 'fan_out';
const BATCH = 500;
const PAUSE_MS = 500;
const FOLLOW_MS = 10_000;

/**
 * The fan-out while the broker is away: straight from the ledger, so that what happened is in the app all the same; mails, pushes
 * and webhooks are queued in Postgres and go out when it is back. The broker then brings the same events again, and the unique
 * keys drop them.
 *
 * Otherwise it only follows the relay: to where that was a while ago, once nothing waits to be fanned out any more. From there it
 * starts when the broker goes, so what was in the broker at that moment is told too.
 */
export function createDirectFanOut({
  database,
  queue,
  logger,
  mailPace,
}: {
  database: Database;
  queue: Queue;
  logger: Logger;
  mailPace: MailPace;
}): () => Promise<number> {
  let relayed: EventCursor | undefined;
  let followedAt = 0;

  return async () => {
    if (!queue.health().healthy) return fanOutNext();
    if (performance.now() - followedAt < FOLLOW_MS) return PAUSE_MS;
    followedAt = performance.now();
    for (const name of [JOB_NOTIFICATIONS, URGENT_NOTIFICATIONS]) {
      if ((await queue.depth(name)) > 0) return PAUSE_MS;
    }
    if (relayed) await advanceCursor(database, READER, relayed);
    relayed = await findCursor(database, 'relay');
    return PAUSE_MS;
  };

  async function fanOutNext(): Promise<number> {
    relayed = undefined;
    const { events, last } = await readEvents(database, READER, BATCH);
    if (!last) return PAUSE_MS;
    const { refused, ...told } = await fanOut(
      database,
      events.flatMap((event) => toNotifiable(event) ?? []),
      mailPace,
    );
    await advanceCursor(database, READER, last);
    for (const { id, error } of refused) logger.error('notification_failed', { event_id: id, error });
    if (told.inApp + told.deliveries > 0) logger.info('fanned_out_directly', { ...told });
    return events.length === BATCH ? 0 : PAUSE_MS;
  }
}

/**
 * Tells everything once more that may lie in a queue of the fan-out: all behind that place in the ledger. For a queue that is about to
 * be lost; the place stays, and what was told is not told twice.
 */
export async function fanOutAgain(options: {
  database: Database;
  mailPace: MailPace;
  logger: Logger;
}): Promise<void> {
  const { database, mailPace, logger } = options;
  let place = await findCursor(database, READER);
  for (;;) {
    const events = await followLedger(database, place, BATCH);
    const { refused, ...told } = await fanOut(
      database,
      events.flatMap((event) => toNotifiable(event) ?? []),
      mailPace,
    );
    logger.warn('fanned_out_again', { events: events.length, refused: refused.length, ...told });
    const last = events.at(-1);
    if (!last || events.length < BATCH) return;
    place = last;
  }
}
