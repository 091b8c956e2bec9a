import { type Sql, statement } from './connect.ts';

/** Removes what is older than the retention, a bounded number of rows a call; returns how many rows went. */
export async function prune(sql: Sql, options: { retentionDays: number; limit: number }): Promise<number> {
  const counts = await Promise.all([
    sql.query(PRUNE_JOBS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_EVENTS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_KEYS, [options.limit]),
    sql.query(PRUNE_WORKERS),
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

const PRUNE_WORKERS = statement(
  'prune_workers',
  `DELETE FROM workers WHERE seen_at < now() - interval '1 hour' RETURNING id`,
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
