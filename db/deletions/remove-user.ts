import { ALL_USERS } from '../../core/statistics.ts';
import type { Database, Sql } from '../connect.ts';
import { insertEvents } from '../insert-events.ts';
import { LOCK_FAN_OUT_OUT } from '../notifications/fan-out-lock.ts';
import { statement } from '../statement.ts';
import { LOCK_CURSOR, STATISTICS_READER } from '../statistics.ts';
import { countGone } from './deletions.ts';
import { subtractHosts } from './remove-events.ts';

/**
 * Removes what is a user's beside their jobs, a bounded number of rows per statement. `first` goes
 * before the jobs: schedules would post new ones.
 *
 * @returns whether all of it is gone
 */
export async function removeRowsOfUser(
  database: Database,
  deletion: { id: string; userId: string },
  part: 'first' | 'rest',
  goesOn: () => boolean,
): Promise<boolean> {
  const removals =
    part === 'first' ? [() => removeRows(database, SCHEDULES, deletion)] : restOf(database, deletion);
  for (const remove of removals) {
    while ((await remove()) > 0) if (!goesOn()) return false;
  }
  return true;
}

const ROWS_AT_ONCE = 1000;

const removeRows = async (
  sql: Sql,
  remove: ReturnType<typeof statement>,
  deletion: { id: string; userId: string },
) =>
  (await sql.query<{ count: number }>(remove, [deletion.id, deletion.userId, ROWS_AT_ONCE]))[0]?.count ?? 0;

/** By their places in the table: the condition has an index, and the table's key does not matter. */
const rowsOf = (table: string, kind = table) =>
  statement(
    `remove_${table}_of_user`,
    `
    WITH gone AS (
      DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE user_id = $2 LIMIT $3)) RETURNING 1
    ), ${countGone(kind)}
    SELECT count(*)::int AS count FROM gone
    `,
  );

const SCHEDULES = rowsOf('schedules');

/** In an order in which no row refers to one that is gone. Attempts and dead letters go with theirs. */
const TABLES = [
  ...[rowsOf('notifications'), rowsOf('deliveries'), rowsOf('subscriptions'), rowsOf('webhooks')],
  ...[rowsOf('webhook_receivers'), rowsOf('email_throttle'), rowsOf('idempotency_keys')],
  ...[rowsOf('idempotent_answers'), rowsOf('suppressions'), rowsOf('job_hourly'), rowsOf('job_histograms')],
  ...[
    rowsOf('usage_daily', 'usage'),
    rowsOf('storage_usage'),
    rowsOf('turns'),
    rowsOf('turn_changes'),
    rowsOf('request_rates'),
  ],
  rowsOf('api_keys', 'keys'),
];

const restOf = (database: Database, deletion: { id: string; userId: string }) => [
  () => removeLinks(database, deletion),
  // The ledger before the sums: what is not in it is never counted.
  () => removeEvents(database, deletion),
  () => removeSums(database, deletion),
  ...TABLES.map((remove) => () => removeRows(database, remove, deletion)),
];

/** With their clicks' counts; the events tell the caches. */
const removeLinks = async (sql: Sql, { id, userId }: { id: string; userId: string }): Promise<number> =>
  (await sql.query(REMOVE_LINKS, [id, userId])).length;

const REMOVE_LINKS = statement(
  'remove_links_of_user',
  `
  WITH gone AS (
    DELETE FROM links WHERE id = ANY (ARRAY(SELECT id FROM links WHERE user_id = $2 LIMIT 100)) RETURNING id, code
  ), hours AS (
    DELETE FROM link_hourly h USING gone WHERE h.link_id = gone.id
  ), days AS (
    DELETE FROM link_daily d USING gone WHERE d.link_id = gone.id
  ), breakdowns AS (
    DELETE FROM link_breakdowns b USING gone WHERE b.link_id = gone.id
  ), visitors AS (
    DELETE FROM link_visitors v USING gone WHERE v.link_id = gone.id
  ), event AS (${insertEvents({
    ...{
      from: 'gone',
      type: "'link.deleted'",
      userId: 'NULL',
      jobId: 'NULL',
      correlationId: '$1::uuid::text',
    },
    data: "json_build_object('link_id', id, 'code', code, 'url', '')",
  })}), ${countGone('links')}
  SELECT id FROM gone
  `,
);

/** The cursor's lock waits for the statistics that are counting some of them. */
const removeEvents = (database: Database, deletion: { id: string; userId: string }): Promise<number> =>
  database.transaction(async (sql) => {
    await sql.query(LOCK_CURSOR, [STATISTICS_READER]);
    return removeRows(sql, EVENTS, deletion);
  });

const EVENTS = rowsOf('events');

/** Their part of the sums of hosts over all users goes too: a host may be a person's. */
const removeSums = (database: Database, { id, userId }: { id: string; userId: string }): Promise<number> =>
  database.transaction(async (sql) => {
    const rows = await sql.query<Sum>(REMOVE_SUMS, [id, userId, ROWS_AT_ONCE]);
    await subtractHosts(
      sql,
      rows.map((row) => ({ ...row, user_id: ALL_USERS })),
    );
    return rows.length;
  });

type Sum = Omit<Parameters<typeof subtractHosts>[1][number], 'user_id'>;

const REMOVE_SUMS = statement(
  'remove_sums_of_user',
  `
  WITH gone AS (
    DELETE FROM job_breakdowns
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM job_breakdowns WHERE user_id = $2 LIMIT $3))
    RETURNING day, kind, value, jobs, pages, leads
  ), ${countGone('job_breakdowns')}
  SELECT day::text AS day, kind, value, jobs, pages, leads FROM gone
  `,
);

/** The last of it. A request or fan-out that began before the keys were revoked may have added rows: then it fails, and is repeated. */
export const removeUser = (database: Database, deletion: { id: string; userId: string }): Promise<void> =>
  database.transaction(async (sql) => {
    await sql.query(LOCK_FAN_OUT_OUT);
    await sql.query(REMOVE_USER, [deletion.id, deletion.userId]);
  });

const REMOVE_USER = statement(
  'remove_user',
  `
  WITH gone AS (DELETE FROM users WHERE id = $2 RETURNING 1), ${countGone('users')}
  SELECT count(*) FROM gone
  `,
);
