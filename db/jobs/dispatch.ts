import type { JobSpec } from '../../core/jobs/job.ts';
import { ASYNC_COMMIT, type Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { mayStart } from './held-users.ts';

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
  /** How often it has yielded to a more urgent job. */
  yieldCount: number;
  priority: number;
  correlationId: string;
  search: SearchFields;
  /** A request waits for its end: the worker is to announce it. */
  awaited?: boolean;
}

/** The current state of the dispatch window. */
export interface WindowState {
  /** Slots of all workers that reported lately. */
  slots: number;
  /** Recent claims per second of the whole fleet. */
  claimsPerSecond: number;
  /** Jobs on the queue and not yet claimed, by priority. */
  dispatched: Map<number, number>;
  /** Priority of the job to be dispatched next; null if none waits in Postgres. */
  nextPriority: number | null;
}

/**
 * The process that accepted a job this young publishes it; the scheduler leaves it alone, or it
 * would be published twice. If that process is gone, the scheduler finds the job a moment later.
 */
const FRESH_MS = 100;

export async function readWindow(sql: Sql): Promise<WindowState> {
  const [row] = await sql.query<{
    slots: number;
    claims_per_second: number;
    dispatched: { priority: number; count: number }[];
    next_priority: number | null;
  }>(READ_WINDOW);
  if (!row) throw new Error('read_window returned no row');
  return {
    slots: row.slots,
    claimsPerSecond: row.claims_per_second,
    dispatched: new Map(row.dispatched.map(({ priority, count }) => [priority, count])),
    nextPriority: row.next_priority,
  };
}

const READ_WINDOW = statement(
  'read_window',
  `
  SELECT coalesce(w.slots, 0)::int AS slots, coalesce(w.rate, 0)::float8 AS claims_per_second,
         (SELECT coalesce(json_agg(json_build_object('priority', priority, 'count', count)), '[]')
          FROM (SELECT priority, count(*) AS count FROM jobs
                WHERE status = 'queued' AND dispatched_at IS NOT NULL GROUP BY priority) AS by_priority) AS dispatched,
         (SELECT priority FROM jobs
          WHERE status = 'queued' AND dispatched_at IS NULL AND created_at <= now() - interval '${FRESH_MS} ms'
            AND ${mayStart('user_id')}
          ORDER BY priority DESC, created_at, id LIMIT 1) AS next_priority
  FROM (SELECT sum(slots) AS slots, sum(claims_per_second) AS rate
        FROM workers WHERE seen_at > now() - interval '5 s') AS w
  `,
);

/** The jobs that wait in Postgres, most urgent first, then oldest. */
export async function listWaiting(sql: Sql, limit: number): Promise<DispatchableJob[]> {
  const rows = await sql.query<DispatchableRow>(LIST_WAITING, [limit]);
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
  SELECT id, user_id, attempt, yield_count, priority, correlation_id,
         ${SEARCH_OF('spec')} AS search
  FROM jobs
  WHERE status = 'queued' AND dispatched_at IS NULL AND created_at <= now() - interval '${FRESH_MS} ms'
    AND ${mayStart('user_id')}
  ORDER BY priority DESC, created_at, id
  LIMIT $1
  `,
);

/**
 * Records that these jobs are on the queue. A job that was claimed meanwhile is unchanged, and so
 * is a job that yielded before this mark: it waits in Postgres, and the mark would claim that a
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
  UPDATE jobs SET status = 'queued', dispatched_at = NULL
  WHERE id IN (SELECT id FROM jobs WHERE status IN ('scheduled', 'retrying') AND run_at <= now()
               ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    AND status IN ('scheduled', 'retrying')
  RETURNING id
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
  UPDATE jobs SET dispatched_at = NULL
  WHERE status = 'queued' AND dispatched_at <= now() - $1::float8 * interval '1 ms'
  RETURNING id
  `,
);
