import { type Sql, statement } from './connect.ts';

/** Removes what is older than the retention, a bounded number of rows a call; returns how many rows went. */
export async function prune(sql: Sql, options: { retentionDays: number; limit: number }): Promise<number> {
  const counts = await Promise.all([
    sql.query(PRUNE_JOBS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_EVENTS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_KEYS, [options.limit]),
    sql.query(PRUNE_NOTIFICATIONS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_DELIVERIES, [options.retentionDays, options.limit]),
    sql.query(PRUNE_WORKERS),
    sql.query(PRUNE_HOSTS, [options.limit]),
    sql.query(PRUNE_ROBOTS, [options.limit]),
    sql.query(PRUNE_RENDER_VERDICTS, [options.limit]),
  ]);
  return counts.reduce((sum, rows) => sum + rows.length, 0);
}

/** Only final jobs; their attempts, pages and artifacts go with them. */
const PRUNE_JOBS = statement(
  'prune_jobs',
  `
  DELETE FROM jobs WHERE id IN (
    SELECT id FROM jobs
    WHERE finished_at < now() - $1::int * interval '1 day' AND status IN ('completed', 'failed', 'cancelled')
    LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING id
  `,
);

/** Never an event the relay has not published. */
const PRUNE_EVENTS = statement(
  'prune_events',
  `
  DELETE FROM events WHERE (xid, seq) IN (
    SELECT xid, seq FROM events
    WHERE (xid, seq) <= ((SELECT xid FROM event_cursors WHERE reader = 'relay'),
                         (SELECT seq FROM event_cursors WHERE reader = 'relay'))
      AND occurred_at < now() - $1::int * interval '1 day'
    LIMIT $2)
  RETURNING seq
  `,
);

/** A client that repeats a POST does so within minutes; a day covers one that was away overnight. */
const PRUNE_KEYS = statement(
  'prune_idempotency_keys',
  `
  DELETE FROM idempotency_keys WHERE (user_id, key) IN (
    SELECT user_id, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT $1)
  RETURNING key
  `,
);

const PRUNE_NOTIFICATIONS = statement(
  'prune_notifications',
  `
  DELETE FROM notifications WHERE id IN (
    SELECT id FROM notifications WHERE created_at < now() - $1::int * interval '1 day' LIMIT $2)
  RETURNING id
  `,
);

/** Only those that ended, with their attempts and dead letters. As old as this, no event comes again that they would keep out. */
const PRUNE_DELIVERIES = statement(
  'prune_deliveries',
  `
  DELETE FROM deliveries WHERE id IN (
    SELECT id FROM deliveries
    WHERE finished_at < now() - $1::int * interval '1 day' AND status IN ('delivered', 'failed')
    LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING id
  `,
);

const PRUNE_WORKERS = statement(
  'prune_workers',
  `DELETE FROM workers WHERE seen_at < now() - interval '1 hour' RETURNING id`,
);

/** A host that nobody was at for a day is as good as new. */
const PRUNE_HOSTS = statement(
  'prune_hosts',
  `
  DELETE FROM hosts WHERE host IN (
    SELECT host FROM hosts
    WHERE used_at < now() - interval '1 day' AND paused_until < now() AND line_until < now()
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING host
  `,
);

/** Kept past its day: should the file not be readable then, what it said before still holds. */
const PRUNE_ROBOTS = statement(
  'prune_robots',
  `
  DELETE FROM robots WHERE origin IN (
    SELECT origin FROM robots WHERE fresh_until < now() - interval '30 days' LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING origin
  `,
);

/** What was last seen so long ago is not gone by any more. */
const PRUNE_RENDER_VERDICTS = statement(
  'prune_render_verdicts',
  `
  DELETE FROM render_verdicts WHERE host IN (
    SELECT host FROM render_verdicts WHERE seen_at < now() - interval '30 days' LIMIT $1)
  RETURNING host
  `,
);
