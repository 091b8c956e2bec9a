import type { Page } from '../../core/jobs/page.ts';
import type { Lead } from '../../core/leads/lead.ts';
import { ALL_USERS } from '../../core/statistics.ts';
import type { Database, Sql } from '../connect.ts';
import { countriesOf, wordsOf } from '../leads.ts';
import { type Statement, statement } from '../statement.ts';
import { countGone } from './deletions.ts';
import { subtractHosts } from './remove-events.ts';

/**
 * Finds rows that may mention somebody, job by job, and takes the mentions out. A pattern of
 * Postgres finds a few rows too many; the caller looks at each.
 */

export interface SearchedJob {
  id: string;
  /** Its place: the jobs are searched in this order. */
  at: string;
  pages_count: number;
  /** Whether it ran after a moment: what it stored then may have been looked up before. */
  is_recent: boolean;
  /** Request, progress and errors. */
  may_mention: string | null;
}

/** @param userId null: of all users */
export function listJobsToSearch(
  sql: Sql,
  options: {
    userId: string | null;
    after: { at: string; id: string };
    since: Date;
    pattern: string;
    limit: number;
  },
): Promise<SearchedJob[]> {
  const { userId, after, since, pattern, limit } = options;
  return userId === null
    ? sql.query(LIST_ALL_JOBS_TO_SEARCH, [after.id, since, pattern, limit])
    : sql.query(LIST_JOBS_TO_SEARCH, [after.id, since, pattern, limit, userId, after.at]);
}

export const BEFORE_ALL_JOBS = { at: '-infinity', id: '00000000-0000-0000-0000-000000000000' };

const SEARCHED = `
  j.id, j.created_at::text AS at, j.pages_count, coalesce(j.finished_at, 'infinity') > $2::timestamptz AS is_recent,
  CASE WHEN concat_ws(' ', j.spec::text, j.progress_message, j.error_message) ~* $3
       THEN concat_ws(' ', j.spec::text, j.progress_message, j.error_message) END AS may_mention`;

/** Their ids begin with the moment of creation. */
const LIST_ALL_JOBS_TO_SEARCH = statement(
  'list_all_jobs_to_search',
  `SELECT ${SEARCHED} FROM jobs j WHERE j.id > $1 ORDER BY j.id LIMIT $4`,
);
const LIST_JOBS_TO_SEARCH = statement(
  'list_jobs_to_search',
  `
  SELECT ${SEARCHED} FROM jobs j
  WHERE j.user_id = $5 AND (j.created_at, j.id) > ($6::timestamptz, $1::uuid) ORDER BY j.created_at, j.id LIMIT $4
  `,
);

export interface SearchedLead {
  job_id: string;
  key: string;
  id: string;
  content: Lead;
  updated_at: string;
}

export const searchLeads = (sql: Sql, jobIds: string[], pattern: string): Promise<SearchedLead[]> =>
  sql.query<SearchedLead>(SEARCH_LEADS, [jobIds, pattern]);

const SEARCH_LEADS = statement(
  'search_leads_of_jobs',
  `
  SELECT job_id, key, id::text AS id, content, updated_at::text AS updated_at FROM leads
  WHERE job_id = ANY ($1::uuid[]) AND content::text ~* $2 ORDER BY job_id, id
  `,
);

/** Not if a worker has stored it anew since it was read. */
export async function rewriteLead(
  sql: Sql,
  deletionId: string,
  { job_id, key, updated_at }: SearchedLead,
  lead: Lead,
): Promise<void> {
  await sql.query(REWRITE_LEAD, [
    ...[deletionId, job_id, key, updated_at, countriesOf(lead)],
    ...[lead.emails.length > 0, lead.phones.length > 0, wordsOf(lead).join(' '), JSON.stringify(lead)],
  ]);
}

const REWRITE_LEAD = statement(
  'rewrite_lead',
  `
  WITH gone AS (
    UPDATE leads SET countries = $5::text[], has_email = $6, has_phone = $7, search_vector = to_tsvector('simple', $8),
                     content = $9::json, updated_at = now()
    WHERE job_id = $2 AND key = $3 AND updated_at = $4::timestamptz RETURNING 1
  ), ${countGone('lead_parts')}
  SELECT count(*) FROM gone
  `,
);

export interface SearchedPage {
  position: number;
  stored_at: string;
  /** Null if it mentions nothing. */
  content: Page | null;
}

export const searchPages = (
  sql: Sql,
  jobId: string,
  after: number,
  limit: number,
  pattern: string,
): Promise<SearchedPage[]> => sql.query<SearchedPage>(SEARCH_PAGES, [jobId, after, limit, pattern]);

const SEARCH_PAGES = statement(
  'search_pages_of_job',
  `
  SELECT position, stored_at::text AS stored_at, CASE WHEN content::text ~* $4 THEN content END AS content
  FROM (SELECT position, stored_at, content FROM pages WHERE job_id = $1 AND position > $2 ORDER BY position LIMIT $3) AS p
  ORDER BY position
  `,
);

/** Not if a worker has stored it anew since it was read. */
export async function rewritePage(
  sql: Sql,
  deletionId: string,
  page: { jobId: string; position: number; stored_at: string; content: Page },
): Promise<void> {
  const { jobId, position, stored_at, content } = page;
  await sql.query(REWRITE_PAGE, [deletionId, jobId, position, stored_at, JSON.stringify(content)]);
}

const REWRITE_PAGE = statement(
  'rewrite_page',
  `
  WITH gone AS (
    UPDATE pages SET content = $5::json WHERE job_id = $2 AND position = $3 AND stored_at = $4::timestamptz RETURNING 1
  ), ${countGone('page_contacts')}
  SELECT count(*) FROM gone
  `,
);

/**
 * A page with its pictures. Those in the store are recorded as left over in the same statement, and
 * removed from there next.
 */
export async function removePage(
  sql: Sql,
  deletionId: string,
  jobId: string,
  position: number,
): Promise<void> {
  await sql.query(REMOVE_PAGE, [deletionId, jobId, position]);
}

const REMOVE_PAGE = statement(
  'remove_page',
  `
  WITH left_over AS (
    INSERT INTO artifact_leftovers (deletion_id, job_id, position, name)
    SELECT $1, job_id, position, name FROM artifacts WHERE job_id = $2 AND position = $3 AND body IS NULL
    ON CONFLICT DO NOTHING
  ), gone AS (
    DELETE FROM pages WHERE job_id = $2 AND position = $3 RETURNING 1
  ), ${countGone('pages')}
  SELECT count(*) FROM gone
  `,
);

/** Rows that are removed if they mention somebody. `key` is decimal text or text, unique in its job. */
export interface SearchedRow {
  job_id: string;
  key: string;
  text: string;
}

interface SearchedTable {
  search: Statement;
  remove: Statement;
}

const searched = (kind: string, table: string, key: string, text: string): SearchedTable => ({
  search: statement(
    `search_${table}_of_jobs`,
    `
    SELECT t.job_id, t.${key}::text AS key, ${text} AS text FROM ${table} t
    WHERE t.job_id = ANY ($1::uuid[]) AND ${text} ~* $2
    `,
  ),
  remove: statement(
    `remove_found_${table}`,
    `
    WITH gone AS (
      DELETE FROM ${table} t USING unnest($2::uuid[], $3::text[]) AS f (job_id, key)
      WHERE t.job_id = f.job_id AND t.${key}::text = f.key RETURNING 1
    ), ${countGone(kind)}
    SELECT count(*)::int AS count FROM gone
    `,
  ),
});

export const SEARCHED_TABLES = {
  candidates: searched('candidates', 'lead_candidates', 'key', `(t.key || ' ' || t.detail::text)`),
  notifications: searched('notifications', 'notifications', 'id', 't.data::text'),
  events: searched('events', 'events', 'seq', 't.data::text'),
  urls: searched('urls', 'crawl_urls', 'position', `concat_ws(' ', t.url, t.title, t.link_text)`),
} satisfies Record<string, SearchedTable>;

/** By user too, as the index is. */
export const SEARCHED_DELIVERIES: SearchedTable = {
  search: statement(
    'search_deliveries_of_jobs',
    `
    SELECT d.job_id, d.id::text AS key, d.data::text AS text FROM jobs j
    JOIN deliveries d ON d.user_id = j.user_id AND d.job_id = j.id
    WHERE j.id = ANY ($1::uuid[]) AND d.data::text ~* $2
    `,
  ),
  remove: statement(
    'remove_found_deliveries',
    `
    WITH gone AS (
      DELETE FROM deliveries d USING unnest($2::uuid[], $3::uuid[]) AS f (job_id, id) WHERE d.id = f.id RETURNING 1
    ), ${countGone('deliveries')}
    SELECT count(*)::int AS count FROM gone
    `,
  ),
};

/** The sums of a domain's hosts on the days of these jobs, and its part of the sums over all users. */
export async function removeHosts(
  database: Database,
  deletionId: string,
  jobIds: string[],
  domain: string,
): Promise<void> {
  await database.transaction(async (sql) => {
    const rows = await sql.query<{ day: string; value: string; jobs: number; pages: number; leads: number }>(
      REMOVE_HOSTS,
      [deletionId, jobIds, domain],
    );
    const ofAll = rows.map((row) => ({ ...row, user_id: ALL_USERS, kind: 'host' as const }));
    await subtractHosts(sql, ofAll);
  });
}

const REMOVE_HOSTS = statement(
  'remove_hosts_of_domain',
  `
  WITH gone AS (
    DELETE FROM job_breakdowns b USING (
      SELECT DISTINCT j.user_id, (day AT TIME ZONE 'UTC')::date AS day FROM jobs j,
      generate_series(date_trunc('day', coalesce(j.started_at, j.created_at), 'UTC'), coalesce(j.finished_at, now()), interval '1 day') AS day
      WHERE j.id = ANY ($2::uuid[])) AS d
    WHERE b.user_id = d.user_id AND b.day = d.day AND b.kind = 'host'
      AND (regexp_replace(b.value, ':[0-9]+$', '') = $3::text
           OR right(regexp_replace(b.value, ':[0-9]+$', ''), length($3) + 1) = '.' || $3)
    RETURNING b.day, b.value, b.jobs, b.pages, b.leads
  ), ${countGone('hosts')}
  SELECT day::text AS day, value, jobs, pages, leads FROM gone
  `,
);

/** Waiting messages of the embedded queue; those further behind are about events that no longer exist. */
export const searchMessages = (
  sql: Sql,
  queues: readonly string[],
  pattern: string,
): Promise<{ id: string; text: string }[]> => sql.query(SEARCH_MESSAGES, [queues, pattern]);

const SEARCH_MESSAGES = statement(
  'search_messages',
  `
  SELECT m.id::text AS id, m.body AS text FROM unnest($1::text[]) AS q (name),
  LATERAL (SELECT id, body FROM queue.messages WHERE queue = q.name AND holder IS NULL ORDER BY id LIMIT 20000) AS m
  WHERE m.body ~* $2
  `,
);

export const removeMessages = (sql: Sql, ids: string[]): Promise<unknown> =>
  sql.query(REMOVE_FOUND_MESSAGES, [ids]);

const REMOVE_FOUND_MESSAGES = statement(
  'remove_found_messages',
  'DELETE FROM queue.messages WHERE id = ANY ($1::bigint[]) AND holder IS NULL',
);
