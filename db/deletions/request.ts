import type { Deletion, DeletionCounts } from '../../core/deletions/deletion.ts';
import { isFinal, JOB_STATUSES, type JobStatus } from '../../core/jobs/job-status.ts';
import type { RequestActor } from '../accounts/audit.ts';
import type { Database, Sql } from '../connect.ts';
import { CANCEL_JOB, CANCEL_THESE_JOBS } from '../jobs/change.ts';
import { type JobFilter, matches, valuesOf } from '../jobs/list.ts';
import { statement } from '../statement.ts';
import { createDeletion, findDeletion, findDeletionOfJob } from './deletions.ts';

export type JobDeletion =
  /** Its job is hidden from now on. The same answer as long as it runs. */
  | { kind: 'deleting'; deletion: Deletion }
  /** It was deleted before, by a request for this job. */
  | { kind: 'deleted' }
  | { kind: 'not_found' };

/**
 * Cancels a job unless it has ended, hides it from every request, and leaves its removal to the
 * background. Idempotent: a second request finds the first one's deletion.
 *
 * @param userId whose job; null: of any user
 */
export async function requestJobDeletion(
  database: Database,
  { id, userId, actor }: { id: string; userId: string | null; actor: RequestActor },
): Promise<JobDeletion> {
  return database.transaction(async (sql) => {
    const [job] = await sql.query<DoomedJob>(LOCK_JOB, [id]);
    if (!job || (userId !== null && job.user_id !== userId)) return recall(sql, id, userId);
    if (job.deletion_id !== null) {
      const deletion = await findDeletion(sql, job.deletion_id, null);
      return deletion ? { kind: 'deleting', deletion } : { kind: 'not_found' };
    }
    const deletion = await createDeletion(sql, {
      ...{ kind: 'jobs', userId: job.user_id, actor, jobId: id },
      planned: { jobs: 1, pages: job.pages_count, leads: job.leads_count },
    });
    if (!isFinal(job.status)) await sql.query(CANCEL_JOB, [job.user_id, id]);
    await sql.query(MARK_JOBS, [deletion.deletion_id, [id]]);
    return { kind: 'deleting', deletion };
  });
}

interface DoomedJob {
  user_id: string;
  status: JobStatus;
  deletion_id: string | null;
  pages_count: number;
  leads_count: number;
}

async function recall(sql: Sql, jobId: string, userId: string | null): Promise<JobDeletion> {
  const earlier = await findDeletionOfJob(sql, jobId);
  if (!earlier || (userId !== null && earlier.user_id !== userId)) return { kind: 'not_found' };
  return earlier.state === 'running' ? { kind: 'deleting', deletion: earlier } : { kind: 'deleted' };
}

/** What there is of a job; null if there is none. @param userId null: of any user */
export async function findJobToDelete(
  sql: Sql,
  id: string,
  userId: string | null,
): Promise<DeletionCounts | null> {
  const [row] = await sql.query<DeletionCounts>(FIND_JOB_TO_DELETE, [id, userId]);
  return row ?? null;
}

const FIND_JOB_TO_DELETE = statement(
  'find_job_to_delete',
  `
  SELECT 1 AS jobs, (SELECT count(*)::int FROM pages WHERE job_id = j.id) AS pages,
         (SELECT count(*)::int FROM leads WHERE job_id = j.id) AS leads,
         (SELECT count(*)::int FROM artifacts WHERE job_id = j.id) AS artifacts
  FROM jobs j WHERE j.id = $1 AND ($2::uuid IS NULL OR j.user_id = $2) AND j.deletion_id IS NULL
  `,
);

const LOCK_JOB = statement(
  'lock_job_to_delete',
  'SELECT user_id, status, deletion_id, pages_count, leads_count FROM jobs WHERE id = $1 FOR UPDATE',
);

const MARK_JOBS = statement(
  'mark_jobs_for_deletion',
  'UPDATE jobs SET deletion_id = $1 WHERE id = ANY ($2::uuid[])',
);

/** How many of a user's jobs match, and how many pages and leads they counted. */
export async function countJobsToDelete(
  sql: Sql,
  userId: string,
  filter: JobFilter,
): Promise<DeletionCounts> {
  const [row] = await sql.query<DeletionCounts>(COUNT_JOBS_TO_DELETE, [
    ...[userId, ...valuesOf(filter), filter.statuses ?? JOB_STATUSES],
  ]);
  return row ?? {};
}

const COUNT_JOBS_TO_DELETE = statement(
  'count_jobs_to_delete',
  `
  SELECT count(*)::int AS jobs, coalesce(sum(j.pages_count), 0)::float8 AS pages, coalesce(sum(j.leads_count), 0)::float8 AS leads
  FROM jobs j WHERE j.user_id = $1 AND j.status = ANY ($6::text[]) AND ${matches(2)}
  `,
);

/**
 * Cancels and hides the next of a user's jobs that match; returns how many. The marked ones are
 * removed before this is called again: it would read past them each time.
 */
export async function markJobs(
  database: Database,
  deletion: { id: string; userId: string; filter: JobFilter },
  limit: number,
): Promise<number> {
  const { id, userId, filter } = deletion;
  return database.transaction(async (sql) => {
    const rows = await sql.query<{ id: string }>(CHOOSE_JOBS, [
      ...[userId, ...valuesOf(filter), filter.statuses ?? JOB_STATUSES, limit],
    ]);
    if (rows.length === 0) return 0;
    const ids = rows.map((row) => row.id);
    await sql.query(CANCEL_THESE_JOBS, [userId, ids]);
    await sql.query(MARK_JOBS, [id, ids]);
    return ids.length;
  });
}

/** Locked in the order of their ids, as by `cancel_jobs`. */
const CHOOSE_JOBS = statement(
  'choose_jobs_to_delete',
  `
  SELECT j.id FROM jobs j WHERE j.id = ANY (ARRAY(
    SELECT c.id FROM unnest($6::text[]) AS s (status),
    LATERAL (SELECT j.id FROM jobs j WHERE j.user_id = $1 AND j.status = s.status AND ${matches(2)} LIMIT $7) AS c
    LIMIT $7)) AND j.status = ANY ($6::text[]) AND j.deletion_id IS NULL
  ORDER BY j.id FOR UPDATE
  `,
);
