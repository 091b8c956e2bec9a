import type { Job } from '../../core/jobs/job.ts';
import type { JobStatus } from '../../core/jobs/job-status.ts';
import type { Sql } from '../connect.ts';
import { type KeysetCursor, type KeysetOrder, keyset, keysetValues, pageOf } from '../keyset.ts';
import { statement } from '../statement.ts';
import { JOB_COLUMNS, type JobRow, toJob } from './read.ts';

/** Filter of a user's jobs; an absent field matches all. */
export interface JobFilter {
  statuses?: readonly JobStatus[] | undefined;
  /** ISO 8601; `before` is exclusive. */
  createdAfter?: string | undefined;
  createdBefore?: string | undefined;
  /** Fields of the job's `metadata` and their values, as text. */
  metadata?: Record<string, string> | undefined;
}

export interface JobListQuery extends JobFilter {
  userId: string;
  limit: number;
  oldestFirst?: boolean | undefined;
  /** The place to continue after, from `next`. */
  after: KeysetCursor | null;
}

/** A user's jobs in the order of creation. */
export async function listJobs(
  sql: Sql,
  { userId, limit, oldestFirst = false, after, ...filter }: JobListQuery,
): Promise<{ jobs: Job[]; next: KeysetCursor | null }> {
  const order = oldestFirst ? 'oldest_first' : 'newest_first';
  // One more than the limit shows whether there is a next page.
  const values = [userId, limit + 1, ...keysetValues(after, order), ...valuesOf(filter)];
  const { all, byStatus } = oldestFirst ? OLDEST_FIRST : NEWEST_FIRST;
  const rows = filter.statuses
    ? await sql.query<JobRow>(byStatus, [...values, filter.statuses])
    : await sql.query<JobRow>(all, values);
  const { items, next } = pageOf(rows, limit, toJob);
  return { jobs: items, next };
}

/** The parameters that `matches` reads, in order. */
export const valuesOf = ({ createdAfter, createdBefore, metadata = {} }: JobFilter) => [
  createdAfter ?? '-infinity',
  createdBefore ?? 'infinity',
  Object.keys(metadata),
  Object.values(metadata),
];

/** Whether job `j` matches; `first` is the number of the first of its four parameters. */
export const matches = (first: number): string => `
  j.deletion_id IS NULL AND j.created_at >= $${first}::timestamptz AND j.created_at < $${first + 1}::timestamptz
  AND NOT EXISTS (
    SELECT FROM unnest($${first + 2}::text[], $${first + 3}::text[]) AS m (name, value)
    WHERE (j.spec->'metadata'->>m.name) IS DISTINCT FROM m.value)`;

/**
 * Each status reads its own part of an index: one condition over several statuses would sort all of
 * a user's jobs, or read all those of other statuses.
 */
function listStatements(name: string, order: KeysetOrder) {
  const jobs = keyset('j.created_at', 'j.id', order);
  const found = keyset('p.created_at', 'p.id', order);
  const behind = jobs.behind('$3', '$4');
  return {
    all: statement(
      name,
      `SELECT ${JOB_COLUMNS} FROM jobs j
       WHERE j.user_id = $1 AND ${behind} AND ${matches(5)} ORDER BY ${jobs.order} LIMIT $2`,
    ),
    byStatus: statement(
      `${name}_by_status`,
      `
      WITH found AS (
        SELECT p.id FROM unnest($9::text[]) AS s (status),
        LATERAL (SELECT j.id, j.created_at FROM jobs j
                 WHERE j.user_id = $1 AND j.status = s.status AND ${behind} AND ${matches(5)}
                 ORDER BY ${jobs.order} LIMIT $2) AS p
        ORDER BY ${found.order} LIMIT $2
      )
      SELECT ${JOB_COLUMNS} FROM found JOIN jobs j ON j.id = found.id ORDER BY ${jobs.order} LIMIT $2
      `,
    ),
  };
}

const NEWEST_FIRST = listStatements('list_jobs', 'newest_first');
const OLDEST_FIRST = listStatements('list_jobs_oldest_first', 'oldest_first');
