import type { Sql } from './connect.ts';
import { statement } from './statement.ts';

/** Deletes rows older than the retention, a bounded number per call; returns how many. */
export async function prune(
  sql: Sql,
  options: { retentionDays: number; auditRetentionDays: number; limit: number },
): Promise<number> {
  const counts = await Promise.all([
    sql.query(PRUNE_JOBS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_EVENTS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_KEYS, [options.limit]),
    sql.query(PRUNE_ANSWERS, [options.limit]),
    sql.query(PRUNE_NOTIFICATIONS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_DELIVERIES, [options.retentionDays, options.limit]),
    sql.query(PRUNE_CLICKS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_VISITORS, [options.limit]),
    sql.query(PRUNE_LINKS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_AUDIT, [options.auditRetentionDays, options.limit]),
    sql.query(PRUNE_DELETED_JOBS, [options.limit]),
    sql.query(PRUNE_SCHEDULE_RUNS, [options.retentionDays, options.limit]),
    sql.query(PRUNE_WORKERS),
    sql.query(PRUNE_HOSTS, [options.limit]),
    sql.query(PRUNE_ROBOTS, [options.limit]),
    sql.query(PRUNE_RENDERING_TYPES, [options.limit]),
    sql.query(PRUNE_USAGE, [options.limit]),
    sql.query(PRUNE_RATES),
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
      AND deletion_id IS NULL
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

/**
 * A client that repeats a POST does so within minutes; a day covers a client that was offline
 * overnight.
 */
const PRUNE_KEYS = statement(
  'prune_idempotency_keys',
  `
  DELETE FROM idempotency_keys WHERE (user_id, key) IN (
    SELECT user_id, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT $1)
  RETURNING key
  `,
);

const PRUNE_ANSWERS = statement(
  'prune_idempotent_answers',
  `
  DELETE FROM idempotent_answers WHERE (user_id, route, key) IN (
    SELECT user_id, route, key FROM idempotent_answers WHERE created_at < now() - interval '24 hours' LIMIT $1)
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

/**
 * Only ended ones, with their attempts and dead letters. No event of that age comes again that they
 * would deduplicate.
 */
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

/** They were counted long ago; at that age, none is delivered again. */
const PRUNE_CLICKS = statement(
  'prune_clicks',
  `
  DELETE FROM clicks WHERE id IN (
    SELECT id FROM clicks WHERE clicked_at < now() - $1::int * interval '1 day' LIMIT $2)
  RETURNING id
  `,
);

/**
 * A week, for clicks spooled to a disk during an outage: a click that arrives later counts as a new
 * visitor.
 */
const PRUNE_VISITORS = statement(
  'prune_visitors',
  `
  DELETE FROM link_visitors WHERE (link_id, day, visitor) IN (
    SELECT link_id, day, visitor FROM link_visitors WHERE day < current_date - 7 LIMIT $1)
  RETURNING day
  `,
);

/** With their counts; a link that was clicked for years has some thousand rows of them. */
const PRUNE_LINKS = statement(
  'prune_links',
  `
  WITH gone AS (
    DELETE FROM links WHERE id IN (
      SELECT id FROM links WHERE deleted_at < now() - $1::int * interval '1 day' LIMIT least($2::int, 20))
    RETURNING id
  ), hours AS (
    DELETE FROM link_hourly USING gone WHERE link_id = gone.id
  ), days AS (
    DELETE FROM link_daily USING gone WHERE link_id = gone.id
  ), breakdowns AS (
    DELETE FROM link_breakdowns USING gone WHERE link_id = gone.id
  )
  SELECT id FROM gone
  `,
);

const PRUNE_AUDIT = statement(
  'prune_audit',
  `
  DELETE FROM audit_log WHERE id IN (
    SELECT id FROM audit_log WHERE created_at < now() - $1::int * interval '1 day' LIMIT $2)
  RETURNING id
  `,
);

/** A message older than this that names one becomes a dead letter. */
const PRUNE_DELETED_JOBS = statement(
  'prune_deleted_jobs',
  `
  DELETE FROM deleted_jobs WHERE id IN (
    SELECT id FROM deleted_jobs WHERE deleted_at < now() - interval '7 days' LIMIT $1)
  RETURNING id
  `,
);

/** The due times before the next one are never decided again. */
const PRUNE_SCHEDULE_RUNS = statement(
  'prune_schedule_runs',
  `
  DELETE FROM schedule_runs WHERE (schedule_id, due_at, by_hand) IN (
    SELECT schedule_id, due_at, by_hand FROM schedule_runs
    WHERE decided_at < now() - $1::int * interval '1 day' LIMIT $2)
  RETURNING id
  `,
);

const PRUNE_WORKERS = statement(
  'prune_workers',
  `DELETE FROM workers WHERE seen_at < now() - interval '1 hour' RETURNING id`,
);

/** A host that was unused for a day needs no state; its last use is known to the hour. */
const PRUNE_HOSTS = statement(
  'prune_hosts',
  `
  DELETE FROM hosts WHERE host IN (
    SELECT host FROM hosts
    WHERE used_at < now() - interval '25 hours' AND paused_until < now() AND queue_until < now()
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING host
  `,
);

/** Kept past its day: if the file is unreadable then, its earlier rules still hold. */
const PRUNE_ROBOTS = statement(
  'prune_robots',
  `
  DELETE FROM robots WHERE origin IN (
    SELECT origin FROM robots WHERE fresh_until < now() - interval '30 days' LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING origin
  `,
);

/** An observation this old is no longer used. */
const PRUNE_RENDERING_TYPES = statement(
  'prune_rendering_types',
  `
  DELETE FROM rendering_types WHERE host IN (
    SELECT host FROM rendering_types WHERE seen_at < now() - interval '30 days' LIMIT $1)
  RETURNING host
  `,
);

/** The year that `GET /usage` shows. */
const PRUNE_USAGE = statement(
  'prune_usage',
  `
  DELETE FROM usage_daily WHERE (user_id, owner_id, day, shard) IN (
    SELECT user_id, owner_id, day, shard FROM usage_daily WHERE day < current_date - 400 LIMIT $1)
  RETURNING day
  `,
);

/** Of processes that ended, and of users who were busy once. */
const PRUNE_RATES = statement(
  'prune_request_rates',
  `DELETE FROM request_rates WHERE counted_at < now() - interval '1 minute' RETURNING user_id`,
);
