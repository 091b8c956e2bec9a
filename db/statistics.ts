import type { JobStatus } from '../core/jobs/job-status.ts';
import {
  type CountableEvent,
  type HourCounts,
  type JobFacts,
  type RollUp,
  rollUp,
} from '../core/statistics.ts';
import type { Database, Sql } from './connect.ts';
import { advanceCursor, readEvents } from './events/events.ts';
import { statement } from './statement.ts';

export const STATISTICS_READER = 'statistics';

/**
 * Adds the next events of the ledger to the roll-ups; returns how many there were. Sums and cursor
 * are one transaction, and the cursor's row is locked first: each event counts once, however many
 * workers there are and whenever they end.
 */
export async function countEvents(database: Database, limit: number): Promise<number> {
  return database.transaction(async (sql) => {
    await sql.query(LOCK_CURSOR, [STATISTICS_READER]);
    const { events, last } = await readEvents(sql, STATISTICS_READER, limit);
    if (!last) return 0;
    const { hours, histograms, breakdowns } = rollUp(events, await readFacts(sql, events));
    if (hours.length > 0) await sql.query(ADD_HOURS, [JSON.stringify(hours)]);
    if (histograms.length > 0) await sql.query(ADD_HISTOGRAMS, [JSON.stringify(histograms)]);
    if (breakdowns.length > 0) await sql.query(ADD_BREAKDOWNS, [JSON.stringify(breakdowns)]);
    await advanceCursor(sql, STATISTICS_READER, last);
    return events.length;
  });
}

export const LOCK_CURSOR = statement(
  'lock_cursor',
  'SELECT reader FROM event_cursors WHERE reader = $1 FOR UPDATE',
);

const ENDS = new Set(['job.completed', 'job.failed', 'job.cancelled']);

/** What statistics need of the jobs of these events. */
export async function readFacts(sql: Sql, events: CountableEvent[]): Promise<Map<string, JobFacts>> {
  const started = events.filter(({ type, data }) => type === 'job.started' && data.attempt === 1);
  const ended = events.filter(({ type }) => ENDS.has(type));
  const idsOf = (some: CountableEvent[]) => [...new Set(some.flatMap(({ job_id }) => job_id ?? []))];
  if (started.length + ended.length === 0) return new Map();
  const rows = await sql.query<JobFacts>(READ_FACTS, [idsOf([...started, ...ended]), idsOf(ended)]);
  return new Map(rows.map((row) => [row.id, row]));
}

/**
 * Hosts only of jobs that ended ($2), and at most twenty per job: the rest have too few pages to
 * matter.
 */
const READ_FACTS = statement(
  'read_job_facts',
  `
  SELECT j.id, j.created_at, j.run_at, j.started_at,
         CASE WHEN j.spec->'source_types' IS NOT NULL
              THEN ARRAY(SELECT DISTINCT json_array_elements_text(j.spec->'source_types'))
              ELSE ARRAY[CASE WHEN j.spec->'urls' IS NOT NULL THEN 'urls' ELSE 'search' END] END AS sources,
         CASE WHEN j.id = ANY ($2::uuid[]) AND j.spec->'urls' IS NOT NULL THEN (
           SELECT coalesce(json_object_agg(host, pages), '{}') FROM (
             SELECT lower(substring(u.url FROM '^[A-Za-z]+://(?:[^/?#@]*@)?([^/?#]{1,255})')) AS host, count(p.position) AS pages
             FROM json_array_elements_text(j.spec->'urls') WITH ORDINALITY AS u (url, number)
             LEFT JOIN pages p ON p.job_id = j.id AND p.position = u.number - 1 AND NOT p.failed
             GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
           ) AS by_host WHERE host IS NOT NULL
         ) ELSE '{}' END AS hosts
  FROM jobs j WHERE j.id = ANY ($1::uuid[])
  `,
);

const ADD_HOURS = statement(
  'add_job_hourly',
  `
  INSERT INTO job_hourly AS h (user_id, hour, created, started, completed, failed, cancelled, retries, pages, leads, page_errors)
  SELECT user_id, hour, created, started, completed, failed, cancelled, retries, pages, leads, page_errors
  FROM json_to_recordset($1::json) AS r (user_id uuid, hour timestamptz, created int, started int, completed int, failed int,
                                         cancelled int, retries int, pages int, leads int, page_errors int)
  ON CONFLICT (user_id, hour) DO UPDATE
  SET created = h.created + excluded.created, started = h.started + excluded.started,
      completed = h.completed + excluded.completed, failed = h.failed + excluded.failed,
      cancelled = h.cancelled + excluded.cancelled, retries = h.retries + excluded.retries,
      pages = h.pages + excluded.pages, leads = h.leads + excluded.leads, page_errors = h.page_errors + excluded.page_errors
  `,
);

const ADD_HISTOGRAMS = statement(
  'add_job_histograms',
  `
  INSERT INTO job_histograms AS h (user_id, day, measure, bucket, jobs)
  SELECT user_id, day, measure, bucket, jobs
  FROM json_to_recordset($1::json) AS r (user_id uuid, day date, measure text, bucket int, jobs int)
  ON CONFLICT (user_id, day, measure, bucket) DO UPDATE SET jobs = h.jobs + excluded.jobs
  `,
);

/**
 * A crawler of the whole web has millions of hosts per day: beyond a thousand, all further ones are
 * counted as one. `OFFSET 0` as in `store_clicks`.
 */
const ADD_BREAKDOWNS = statement(
  'add_job_breakdowns',
  `
  INSERT INTO job_breakdowns AS b (user_id, day, kind, value, jobs, pages, leads)
  SELECT user_id, day, kind,
         CASE WHEN EXISTS (SELECT FROM job_breakdowns o WHERE o.user_id = r.user_id AND o.day = r.day AND o.kind = r.kind
                             AND o.value = r.value OFFSET 0)
                OR (SELECT count(*) FROM (SELECT FROM job_breakdowns o WHERE o.user_id = r.user_id AND o.day = r.day
                                            AND o.kind = r.kind LIMIT 1000) AS known) < 1000
              THEN value ELSE '(other)' END,
         sum(jobs), sum(pages), sum(leads)
  FROM json_to_recordset($1::json) AS r (user_id uuid, day date, kind text, value text, jobs int, pages int, leads int)
  GROUP BY 1, 2, 3, 4
  ON CONFLICT (user_id, day, kind, value) DO UPDATE
  SET jobs = b.jobs + excluded.jobs, pages = b.pages + excluded.pages, leads = b.leads + excluded.leads
  `,
);

/** Statistics of a user's jobs between two moments, `to` exclusive. Read from roll-ups alone. */
export interface JobStats {
  series: ({ at: Date } & HourCounts)[];
  histograms: { measure: string; bucket: number; jobs: number }[];
  /** The largest by kind, for the whole days of the range. */
  top: {
    kind: RollUp['breakdowns'][number]['kind'];
    value: string;
    jobs: number;
    pages: number;
    leads: number;
  }[];
}

/**
 * @param userId `ALL_USERS` for the sum over all
 * @param range `starts` are those of the intervals of the series
 */
export async function readJobStats(
  sql: Sql,
  userId: string,
  { from, to, starts }: { from: Date; to: Date; starts: Date[] },
): Promise<JobStats> {
  const [series, histograms, top] = await Promise.all([
    sql.query<JobStats['series'][number]>(READ_JOB_SERIES, [userId, from, to, starts]),
    sql.query<JobStats['histograms'][number]>(READ_JOB_HISTOGRAMS, [userId, from, to]),
    sql.query<JobStats['top'][number]>(READ_JOB_BREAKDOWNS, [userId, from, to]),
  ]);
  return { series, histograms, top };
}

const READ_JOB_SERIES = statement(
  'read_job_series',
  `
  SELECT ($4::timestamptz[])[width_bucket(hour, $4::timestamptz[])] AS at, sum(created)::int AS created, sum(started)::int AS started,
         sum(completed)::int AS completed, sum(failed)::int AS failed, sum(cancelled)::int AS cancelled,
         sum(retries)::int AS retries, sum(pages)::int AS pages, sum(leads)::int AS leads, sum(page_errors)::int AS page_errors
  FROM job_hourly WHERE user_id = $1 AND hour >= $2 AND hour < $3
  GROUP BY 1 ORDER BY 1
  `,
);

const WITHIN_DAYS = `
  day >= ($2::timestamptz AT TIME ZONE 'UTC')::date AND day < $3::timestamptz AT TIME ZONE 'UTC'`;

const READ_JOB_HISTOGRAMS = statement(
  'read_job_histograms',
  `
  SELECT measure, bucket, sum(jobs)::int AS jobs FROM job_histograms
  WHERE user_id = $1 AND ${WITHIN_DAYS} GROUP BY measure, bucket
  `,
);

const READ_JOB_BREAKDOWNS = statement(
  'read_job_breakdowns',
  `
  SELECT kind, value, jobs, pages, leads FROM (
    SELECT kind, value, sum(jobs)::int AS jobs, sum(pages)::int AS pages, sum(leads)::int AS leads,
           row_number() OVER (PARTITION BY kind ORDER BY sum(jobs) DESC, sum(leads) DESC, value) AS place
    FROM job_breakdowns WHERE user_id = $1 AND ${WITHIN_DAYS}
    GROUP BY kind, value
  ) AS ranked WHERE place <= 20 ORDER BY kind, place
  `,
);

/**
 * A user's jobs that are not final, by state; a count above a million in a state is reported as a
 * million.
 */
export async function countUnfinishedForUser(sql: Sql, userId: string): Promise<Map<JobStatus, number>> {
  const rows = await sql.query<{ status: JobStatus; jobs: number }>(COUNT_UNFINISHED_OF, [userId]);
  return new Map(rows.map(({ status, jobs }) => [status, jobs]));
}

const COUNT_UNFINISHED_OF = statement(
  'count_unfinished_of',
  `
  SELECT s.status, counted.jobs FROM (VALUES ('scheduled'), ('queued'), ('running'), ('retrying')) AS s (status),
  LATERAL (SELECT count(*)::int AS jobs FROM (
    SELECT FROM jobs j WHERE j.user_id = $1 AND j.status = s.status LIMIT 1000000) AS bounded) AS counted
  `,
);
