import { type CountableEvent, rollUp } from '../../core/statistics.ts';
import type { Database, Sql } from '../connect.ts';
import { LOCK_FAN_OUT_OUT } from '../notifications/fan-out-lock.ts';
import { statement } from '../statement.ts';
import { LOCK_CURSOR, STATISTICS_READER } from '../statistics.ts';
import { countGone } from './deletions.ts';
import { subtractHosts } from './remove-events.ts';

/** A lead of one job. `id` is decimal text. */
export interface LeadPlace {
  job_id: string;
  key: string;
  id: string;
}

/**
 * Removes leads with their candidates, and with what was told of them: events, notifications and
 * messages. Returns how many there were. A job that still runs may find a business again.
 */
export async function removeLeads(
  database: Database,
  deletionId: string,
  leads: readonly LeadPlace[],
  queues: readonly string[],
): Promise<number> {
  if (leads.length === 0) return 0;
  const jobIds = [...new Set(leads.map(({ job_id }) => job_id))].sort();
  const ids = leads.map(({ id }) => id);
  return database.transaction(async (sql) => {
    // In the order of a worker that stores a lead: its job first.
    await sql.query(LOCK_JOBS_OF_LEADS, [jobIds]);
    const gone = await sql.query(REMOVE_LEADS, [deletionId, JSON.stringify(leads)]);
    await removeFoundEvents(sql, [deletionId, jobIds, ids]);
    await sql.query(LOCK_FAN_OUT_OUT);
    await sql.query(REMOVE_NOTIFICATIONS_OF_LEADS, [deletionId, jobIds, ids]);
    await sql.query(REMOVE_DELIVERIES_OF_LEADS, [deletionId, jobIds, ids]);
    await sql.query(REMOVE_MESSAGES_OF_LEADS, [ids, queues]);
    return gone.length;
  });
}

const LOCK_JOBS_OF_LEADS = statement(
  'lock_jobs_of_leads',
  'SELECT id FROM jobs WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE',
);

const REMOVE_LEADS = statement(
  'remove_leads',
  `
  WITH gone AS (
    DELETE FROM leads t USING json_to_recordset($2::json) AS l (job_id uuid, key text)
    WHERE t.job_id = l.job_id AND t.key = l.key
    RETURNING t.job_id, t.key
  ), candidates AS (
    DELETE FROM lead_candidates c USING gone g WHERE c.job_id = g.job_id AND c.key = g.key
  ), recounted AS (
    UPDATE jobs j SET leads_count = greatest(0, j.leads_count - g.leads)
    FROM (SELECT job_id, count(*) AS leads FROM gone GROUP BY job_id) AS g WHERE j.id = g.job_id
  ), ${countGone('leads')}
  SELECT key FROM gone
  `,
);

async function removeFoundEvents(sql: Sql, values: unknown[]): Promise<void> {
  await sql.query(LOCK_CURSOR, [STATISTICS_READER]);
  const rows = await sql.query<CountableEvent & { was_counted: boolean }>(REMOVE_FOUND_EVENTS, values);
  const { breakdowns } = rollUp(
    rows.filter(({ was_counted }) => was_counted),
    new Map(),
  );
  await subtractHosts(sql, breakdowns);
}

const REMOVE_FOUND_EVENTS = statement(
  'remove_found_events_of_leads',
  `
  WITH gone AS (
    DELETE FROM events WHERE job_id = ANY ($2::uuid[]) AND type = 'lead.found' AND data->>'lead_id' = ANY ($3::text[])
    RETURNING xid, seq, type, occurred_at, user_id, job_id, data
  ), ${countGone('events')}
  SELECT g.type, g.occurred_at, g.user_id, g.job_id, g.data, (g.xid, g.seq) <= (c.xid, c.seq) AS was_counted
  FROM gone g, event_cursors c WHERE c.reader = 'statistics'
  `,
);

const REMOVE_NOTIFICATIONS_OF_LEADS = statement(
  'remove_notifications_of_leads',
  `
  WITH gone AS (
    DELETE FROM notifications WHERE job_id = ANY ($2::uuid[]) AND data->>'lead_id' = ANY ($3::text[]) RETURNING 1
  ), ${countGone('notifications')}
  SELECT count(*) FROM gone
  `,
);

const REMOVE_DELIVERIES_OF_LEADS = statement(
  'remove_deliveries_of_leads',
  `
  WITH gone AS (
    DELETE FROM deliveries d USING jobs j
    WHERE j.id = ANY ($2::uuid[]) AND d.user_id = j.user_id AND d.job_id = j.id AND d.data->>'lead_id' = ANY ($3::text[])
    RETURNING 1
  ), ${countGone('deliveries')}
  SELECT count(*) FROM gone
  `,
);

/** As `remove_messages_of_jobs`. */
const REMOVE_MESSAGES_OF_LEADS = statement(
  'remove_messages_of_leads',
  `
  DELETE FROM queue.messages WHERE holder IS NULL AND id = ANY (ARRAY(
    SELECT m.id FROM unnest($2::text[]) AS q (name),
    LATERAL (SELECT id, body FROM queue.messages WHERE queue = q.name AND holder IS NULL ORDER BY id LIMIT 5000) AS m
    WHERE substring(m.body FROM '"lead_id":"([0-9]+)"') = ANY ($1::text[])))
  `,
);

/** The leads of a business in all of a user's jobs, a thousand at a time; the one by which it is known is the last. */
export const findLeadsOfBusiness = (sql: Sql, userId: string, id: string): Promise<LeadPlace[]> =>
  sql.query<LeadPlace>(FIND_LEADS_OF_BUSINESS, [userId, id]);

const FIND_LEADS_OF_BUSINESS = statement(
  'find_leads_of_business',
  `
  SELECT o.job_id, o.key, o.id::text AS id
  FROM (SELECT key FROM leads WHERE user_id = $1 AND id = $2::bigint) AS l,
  LATERAL (SELECT job_id, key, id FROM leads WHERE user_id = $1 AND key = l.key ORDER BY id = $2::bigint, id DESC LIMIT 1000) AS o
  `,
);
