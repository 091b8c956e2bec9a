import type { SentChannel } from '../../../core/notifications/notification.ts';
import { ASYNC_COMMIT, type Sql } from '../../connect.ts';
import { statement } from '../../statement.ts';

/** A delivery as the queue needs it. */
export interface DueDelivery {
  id: string;
  attempt: number;
  channel: SentChannel;
  userId: string;
  correlationId: string;
}

/**
 * Deliveries that are due and not queued, as many per channel as its window has room for: urgent
 * first, then the longest due. Of a mail, one represents all that will go in it.
 *
 * @param window messages per channel that may wait in the broker, where their order can no longer
 * change
 */
export const listDueDeliveries = (sql: Sql, window: number): Promise<DueDelivery[]> =>
  sql.query<DueDelivery>(LIST_DUE_DELIVERIES, [window]);

/**
 * By urgency in two scans: a single one would read every urgent delivery that is not due yet to
 * reach the first that is not urgent.
 */
const LIST_DUE_DELIVERIES = statement(
  'list_due_deliveries',
  `
  SELECT id, attempt, channel, user_id AS "userId", correlation_id AS "correlationId"
  FROM (
    SELECT d.*, row_number() OVER (PARTITION BY d.channel ORDER BY d.urgent DESC, d.due_at, d.id) AS place, room
    FROM (VALUES ('email'), ('push'), ('webhook')) AS c (channel)
    CROSS JOIN LATERAL (
      SELECT $1::int - count(*) AS room FROM deliveries w
      WHERE w.channel = c.channel AND w.status = 'queued' AND w.dispatched_at IS NOT NULL) AS w
    CROSS JOIN (VALUES (true), (false)) AS u (urgent)
    CROSS JOIN LATERAL (
      SELECT q.id, q.attempt, q.channel, q.user_id, q.correlation_id, q.urgent, q.due_at FROM deliveries q
      WHERE q.channel = c.channel AND q.urgent = u.urgent AND q.status = 'queued' AND q.dispatched_at IS NULL AND q.due_at <= now()
      ORDER BY q.due_at, q.id LIMIT greatest(room, 0)) AS d
  ) AS due
  WHERE place <= room
  ORDER BY channel, place
  `,
);

/**
 * Records that these are on the queue. One that was claimed meanwhile, or is being claimed, is
 * unchanged: a mark never keeps a claim waiting for long, nor waits for one.
 */
export async function markDeliveriesDispatched(
  sql: Sql,
  deliveries: Pick<DueDelivery, 'id' | 'attempt'>[],
): Promise<void> {
  await sql.query(MARK_DISPATCHED, [
    deliveries.map(({ id }) => id),
    deliveries.map(({ attempt }) => attempt),
  ]);
}

const MARK_DISPATCHED = statement(
  'mark_deliveries_dispatched',
  `
  UPDATE deliveries d SET dispatched_at = now()
  FROM (SELECT q.id FROM unnest($1::uuid[], $2::int[]) AS m (id, attempt)
        JOIN deliveries q ON q.id = m.id AND q.attempt = m.attempt
        WHERE q.status = 'queued' FOR UPDATE OF q SKIP LOCKED) AS waiting, ${ASYNC_COMMIT}
  WHERE d.id = waiting.id
  `,
);

/**
 * Channels with deliveries that have been on the queue, unclaimed, for longer than this, and how
 * many.
 */
export const countLongDispatchedDeliveries = (
  sql: Sql,
  olderThanMs: number,
): Promise<{ channel: SentChannel; count: number }[]> => sql.query(COUNT_LONG_DISPATCHED, [olderThanMs]);

const COUNT_LONG_DISPATCHED = statement(
  'count_long_dispatched_deliveries',
  `
  SELECT channel, count(*)::int AS count FROM deliveries
  WHERE status = 'queued' AND dispatched_at <= now() - $1::float8 * interval '1 ms'
  GROUP BY channel
  `,
);

/** Clears the dispatch mark of deliveries whose message is lost; returns how many. */
export async function forgetLongDispatchedDeliveries(
  sql: Sql,
  channel: SentChannel,
  olderThanMs: number,
): Promise<number> {
  const rows = await sql.query(FORGET_LONG_DISPATCHED, [channel, olderThanMs]);
  return rows.length;
}

const FORGET_LONG_DISPATCHED = statement(
  'forget_long_dispatched_deliveries',
  `
  UPDATE deliveries SET dispatched_at = NULL
  WHERE channel = $1 AND status = 'queued' AND dispatched_at <= now() - $2::float8 * interval '1 ms'
  RETURNING id
  `,
);
