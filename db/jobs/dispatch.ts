import type { JobSpec } from '../../core/jobs/job.ts';
import { ASYNC_COMMIT, type Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { mayStart } from './held-users.ts';
import { changeTurns, FRESH_MS } from './turns.ts';

/** The fields of a request that a message carries. */
export type SearchFields = Pick<
  JobSpec,
  'industry' | 'geography' | 'keywords' | 'source_types' | 'search_query' | 'filters'
>;

/** What the dispatcher needs of a job to publish it. */
export interface DispatchableJob {
  id: string;
  userId: string;
  /** Attempts so far. */
  attempt: number;
  /** How often it was on the queue and came back, see `claimJobs`. */
  yieldCount: number;
  priority: number;
  correlationId: string;
  search: SearchFields;
  /** A request waits for its end: the worker is to announce it. */
  awaited?: boolean;
}

/** A job that was just accepted. */
export interface NewJob extends DispatchableJob {
  /** How many jobs of its user may run at once; null for no limit. */
  runningLimit: number | null;
}

/**
 * The next jobs of users that wait in Postgres: of each user so many, most urgent first, then
 * oldest.
 */
export async function listWaiting(sql: Sql, turns: ReadonlyMap<string, number>): Promise<DispatchableJob[]> {
  const rows = await sql.query<DispatchableRow>(LIST_WAITING, [[...turns.keys()], [...turns.values()]]);
  return rows.map((row) => ({
    id: row.id,
    userId: row.user_id,
    attempt: row.attempt,
    yieldCount: row.yield_count,
    priority: row.priority,
    correlationId: row.correlation_id,
    search: searchOf(row.search),
  }));
}

interface DispatchableRow {
  id: string;
  user_id: string;
  attempt: number;
  yield_count: number;
  priority: number;
  correlation_id: string;
  search: DispatchableJob['search'];
}

/**
 * The fields of a request that a message carries. Picking fields in SQL parses the text once per
 * field (18 us per job), so an ordinary request is fetched whole and picked from here; only a large
 * one is not worth its transport.
 */
export const SEARCH_OF = (spec: string): string => `
  CASE WHEN octet_length(${spec}::text) <= 4096 THEN ${spec} ELSE json_build_object(
    'industry', ${spec}->'industry', 'geography', ${spec}->'geography', 'keywords', ${spec}->'keywords',
    'source_types', ${spec}->'source_types', 'search_query', ${spec}->'search_query', 'filters', ${spec}->'filters'
  ) END`;

/** The search fields that are present. */
export function searchOf(spec: SearchFields): SearchFields {
  const search: Record<string, unknown> = {};
  for (const field of SEARCH_FIELDS) if (spec[field] != null) search[field] = spec[field];
  return search;
}

const SEARCH_FIELDS = [
  'industry',
  'geography',
  'keywords',
  'source_types',
  'search_query',
  'filters',
] as const satisfies (keyof JobSpec)[];

const LIST_WAITING = statement(
  'list_waiting',
  `
  SELECT j.id, j.user_id, j.attempt, j.yield_count, j.priority, j.correlation_id,
         ${SEARCH_OF('j.spec')} AS search
  FROM unnest($1::uuid[], $2::int[]) AS t (user_id, turns),
  LATERAL (
    SELECT * FROM jobs
    WHERE user_id = t.user_id AND ${mayStart('t.user_id')} AND status = 'queued' AND dispatched_at IS NULL
      AND created_at <= now() - interval '${FRESH_MS} ms'
    ORDER BY priority DESC, created_at, id
    LIMIT t.turns
  ) AS j
  `,
);

/**
 * Records that these jobs are on the queue. A job that was claimed meanwhile is unchanged, and so
 * is a job that came back before this mark: it waits in Postgres, and the mark would claim that a
 * message is still to come.
 */
export async function markDispatched(
  sql: Sql,
  jobs: Pick<DispatchableJob, 'id' | 'attempt' | 'yieldCount'>[],
): Promise<void> {
  await sql.query(MARK_DISPATCHED, [
    jobs.map(({ id }) => id),
    jobs.map(({ attempt }) => attempt),
    jobs.map(({ yieldCount }) => yieldCount),
  ]);
}

const MARK_DISPATCHED = statement(
  'mark_dispatched',
  `
  UPDATE jobs j SET dispatched_at = now()
  FROM unnest($1::uuid[], $2::int[], $3::int[]) AS m (id, attempt, yield_count), ${ASYNC_COMMIT}
  WHERE j.id = m.id AND j.attempt = m.attempt AND j.yield_count = m.yield_count AND j.status = 'queued'
  `,
);

/** Makes jobs whose time has come ready; returns how many. */
export async function queueDueJobs(sql: Sql, limit: number): Promise<number> {
  const rows = await sql.query(QUEUE_DUE_JOBS, [limit]);
  return rows.length;
}

const QUEUE_DUE_JOBS = statement(
  'queue_due_jobs',
  `
  WITH due AS (
    UPDATE jobs SET status = 'queued', dispatched_at = NULL
    WHERE id IN (SELECT id FROM jobs WHERE status IN ('scheduled', 'retrying') AND run_at <= now()
                 ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED)
      AND status IN ('scheduled', 'retrying')
    RETURNING id, user_id
  ), turns_changed AS (${changeTurns({ from: 'due' })})
  SELECT id FROM due
  `,
);

/** How many jobs have been on the queue, unclaimed, for longer than this. */
export async function countLongDispatched(sql: Sql, olderThanMs: number): Promise<number> {
  const [row] = await sql.query<{ count: number }>(COUNT_LONG_DISPATCHED, [olderThanMs]);
  return row?.count ?? 0;
}

const COUNT_LONG_DISPATCHED = statement(
  'count_long_dispatched',
  `
  SELECT count(*)::int AS count FROM jobs
  WHERE status = 'queued' AND dispatched_at <= now() - $1::float8 * interval '1 ms'
  `,
);

/**
 * Clears the dispatch mark of jobs whose message is lost, so that they are dispatched again;
 * returns how many.
 */
export async function forgetLongDispatched(sql: Sql, olderThanMs: number): Promise<number> {
  const rows = await sql.query(FORGET_LONG_DISPATCHED, [olderThanMs]);
  return rows.length;
}

const FORGET_LONG_DISPATCHED = statement(
  'forget_long_dispatched',
  `
  WITH lost AS (
    UPDATE jobs SET dispatched_at = NULL
    WHERE status = 'queued' AND dispatched_at <= now() - $1::float8 * interval '1 ms'
    RETURNING id, user_id
  ), turns_changed AS (${changeTurns({ from: 'lost' })})
  SELECT id FROM lost
  `,
);
