import { endsJob } from '../../core/events/events.ts';
import { type CountableEvent, type RollUp, rollUp } from '../../core/statistics.ts';
import type { Database, Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { LOCK_CURSOR, readFacts, STATISTICS_READER } from '../statistics.ts';
import { countGone } from './deletions.ts';

/**
 * Removes events of these jobs, at most `limit`; returns how many. What they added to the
 * statistics by host is taken back, because a host may be a person's; the other sums name nobody
 * and stay.
 *
 * The cursor's row is locked, as the statistics do: each event is counted there before, or never.
 */
export const removeJobEvents = (
  database: Database,
  deletionId: string,
  jobIds: string[],
  limit: number,
): Promise<number> =>
  database.transaction(async (sql) => {
    await sql.query(LOCK_CURSOR, [STATISTICS_READER]);
    const rows = await sql.query<RemovedEvent>(REMOVE_EVENTS, [deletionId, jobIds, limit]);
    const counted = rows.filter((row) => row.was_counted && (endsJob(row.type) || row.type === 'lead.found'));
    if (counted.length > 0) {
      const { breakdowns } = rollUp(counted, await readFacts(sql, counted));
      await subtractHosts(sql, breakdowns);
    }
    return rows.length;
  });

interface RemovedEvent extends CountableEvent {
  was_counted: boolean;
}

const REMOVE_EVENTS = statement(
  'remove_events_of_jobs',
  `
  WITH chosen AS MATERIALIZED (
    SELECT p.xid, p.seq FROM unnest($2::uuid[]) AS i (id),
    LATERAL (SELECT e.xid, e.seq FROM events e WHERE e.job_id = i.id LIMIT $3) AS p LIMIT $3
  ), gone AS (
    DELETE FROM events e USING chosen c WHERE e.xid = c.xid AND e.seq = c.seq
    RETURNING e.xid, e.seq, e.type, e.occurred_at, e.user_id, e.job_id, e.data
  ), ${countGone('events')}
  SELECT g.type, g.occurred_at, g.user_id, g.job_id,
         CASE WHEN g.type IN ('job.completed', 'job.failed', 'job.cancelled', 'lead.found') THEN g.data ELSE '{}' END AS data,
         (g.xid, g.seq) <= (c.xid, c.seq) AS was_counted
  FROM gone g, event_cursors c WHERE c.reader = 'statistics'
  `,
);

/** Takes back what was added to the sums of hosts, of the user and of all. */
export async function subtractHosts(sql: Sql, breakdowns: RollUp['breakdowns']): Promise<void> {
  const hosts = JSON.stringify(breakdowns.filter(({ kind }) => kind === 'host'));
  if (hosts === '[]') return;
  await sql.query(SUBTRACT_HOSTS, [hosts]);
  await sql.query(REMOVE_EMPTY_HOSTS, [hosts]);
}

const HOSTS = `json_to_recordset($1::json) AS r (user_id uuid, day date, value text, jobs int, pages int, leads int)`;

/** A host beyond the first thousand of a day was counted as `(other)`. */
const SUBTRACT_HOSTS = statement(
  'subtract_hosts',
  `
  WITH known AS (
    SELECT r.user_id, r.day, sum(r.jobs) AS jobs, sum(r.pages) AS pages, sum(r.leads) AS leads,
           CASE WHEN EXISTS (SELECT FROM job_breakdowns o WHERE o.user_id = r.user_id AND o.day = r.day AND o.kind = 'host'
                               AND o.value = r.value OFFSET 0)
                THEN r.value ELSE '(other)' END AS value
    FROM ${HOSTS} GROUP BY r.user_id, r.day, 6
  )
  UPDATE job_breakdowns b
  SET jobs = greatest(0, b.jobs - k.jobs), pages = greatest(0, b.pages - k.pages), leads = greatest(0, b.leads - k.leads)
  FROM known k WHERE b.user_id = k.user_id AND b.day = k.day AND b.kind = 'host' AND b.value = k.value
  `,
);

const REMOVE_EMPTY_HOSTS = statement(
  'remove_empty_hosts',
  `
  DELETE FROM job_breakdowns b USING ${HOSTS}
  WHERE b.user_id = r.user_id AND b.day = r.day AND b.kind = 'host' AND b.value = r.value AND b.jobs = 0 AND b.leads = 0
  `,
);
