import type { DomainEvent } from '../core/events/events.ts';
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
 * The fan-out while the broker is away: it reads the ledger directly, so that notifications appear
 * in the app; mails, pushes and webhooks are queued in Postgres and sent once the broker is back.
 * The broker then delivers the same events again, and unique keys drop them.
 *
 * While the broker is healthy, its cursor follows the relay's: once the fan-out queues are empty it
 * moves to the relay's previous position. An outage starts there, so messages in the broker are
 * covered too.
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
    const { refused, ...counts } = await fanOut(database, notifiable(events), mailPace);
    await advanceCursor(database, READER, last);
    for (const { id, error } of refused) logger.error('notification_failed', { event_id: id, error });
    if (counts.inApp + counts.deliveries > 0) logger.info('fanned_out_directly', { ...counts });
    return events.length === BATCH ? 0 : PAUSE_MS;
  }
}

/**
 * Fans out again all events that may be in a fan-out queue: those behind the cursor. For a queue
 * that is about to be deleted. The cursor stays, and unique keys drop what was fanned out before.
 */
export async function fanOutAgain(options: {
  database: Database;
  mailPace: MailPace;
  logger: Logger;
}): Promise<void> {
  const { database, mailPace, logger } = options;
  let cursor = await findCursor(database, READER);
  for (;;) {
    const events = await followLedger(database, cursor, BATCH);
    const { refused, ...counts } = await fanOut(database, notifiable(events), mailPace);
    logger.warn('fanned_out_again', { events: events.length, refused: refused.length, ...counts });
    const last = events.at(-1);
    if (!last || events.length < BATCH) return;
    cursor = last;
  }
}

const notifiable = (events: DomainEvent[]) => events.flatMap((event) => toNotifiable(event) ?? []);
