import type { DomainEvent } from '../core/events/events.ts';
import type { Database } from '../db/connect.ts';
import { advanceCursor, findDeadJobs, readEvents } from '../db/events/events.ts';
import { listWanted } from '../db/notifications/fan-out.ts';
import type { OutgoingMessage, Queue } from '../queue/queue.ts';
import { DEAD_LETTER_EXCHANGE, eventExchange, FAILED_JOBS } from '../queue/topology.ts';
import { eventEnvelope } from './event-envelope.ts';
import { SCRAPE_MESSAGE, truncateSearch } from './message.ts';
import { deadNotification, notificationMessage, toNotifiable } from './notification-messages.ts';

const READER = 'relay';
const BATCH = 500;
const PAUSE_MS = 100;

/**
 * Publishes the ledger of events to the topic exchanges, in commit order. The cursor moves after
 * the confirm: a crash in between repeats events (with the same id), and none is skipped. A failed
 * job is dead-lettered here too, whether its worker or the rescuer settled it. Events that a user
 * may be notified of also go to `notifications`.
 */
export function createRelay({
  database,
  queue,
}: {
  database: Database;
  queue: Queue;
}): () => Promise<number> {
  return async () => {
    if (!queue.health().healthy) return PAUSE_MS;
    const { events, last } = await readEvents(database, READER, BATCH);
    if (!last) return PAUSE_MS;
    const [deadLetters, notifications] = await Promise.all([deadLettersOf(events), notificationsOf(events)]);
    await queue.publish([...events.map(eventMessage), ...deadLetters, ...notifications]);
    await advanceCursor(database, READER, last);
    return events.length === BATCH ? 0 : PAUSE_MS;
  };

  /** Only events that some user wants: most jobs notify no one and need no message. */
  async function notificationsOf(events: DomainEvent[]): Promise<OutgoingMessage[]> {
    const candidates = events.flatMap((event) => toNotifiable(event) ?? []);
    const wanted = await listWanted(database, candidates);
    return [
      ...candidates.filter(({ id }) => wanted.has(id)).map(notificationMessage),
      ...events.flatMap((event) => deadNotification(event) ?? []),
    ];
  }

  async function deadLettersOf(events: DomainEvent[]): Promise<OutgoingMessage[]> {
    const failed = events.filter(({ type }) => type === 'job.failed');
    if (failed.length === 0) return [];
    const jobs = await findDeadJobs(
      database,
      failed.flatMap(({ job_id }) => job_id ?? []),
    );
    const byId = new Map(jobs.map((job) => [job.id, job]));
    return failed.flatMap((event) => {
      const job = byId.get(event.job_id ?? '');
      if (!job) return [];
      const { attempt, error } = event.data;
      const data = { job_id: job.id, attempt, user_id: job.user_id, ...truncateSearch(job.search), error };
      return [
        {
          exchange: DEAD_LETTER_EXCHANGE,
          routingKey: FAILED_JOBS,
          mandatory: true,
          envelope: { ...eventEnvelope(event), type: SCRAPE_MESSAGE, data },
        },
      ];
    });
  }
}

const eventMessage = (event: DomainEvent): OutgoingMessage => ({
  exchange: eventExchange(event.type),
  routingKey: event.type,
  envelope: eventEnvelope(event),
});
