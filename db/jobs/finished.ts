import type { JobStatus } from '../../core/jobs/job-status.ts';
import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/** Ids of jobs that have just ended and for which a request waits. */
export const FINISHED_CHANNEL = 'leadengine_finished';

/**
 * Tells the API processes that these jobs have ended. Only for jobs that a request waits for, and
 * never in the statement that ends them: the commit of a NOTIFY holds a lock of the whole cluster,
 * which would last as long as that statement's write to the disk.
 */
export async function announceFinished(sql: Sql, jobIds: string[]): Promise<void> {
  await sql.query(ANNOUNCE_FINISHED, [jobIds]);
}

const ANNOUNCE_FINISHED = statement(
  'announce_finished',
  `SELECT pg_notify('${FINISHED_CHANNEL}', id) FROM unnest($1::text[]) AS f (id)`,
);

/** What a request that waited for a job answers with. */
export interface JobResult {
  status: JobStatus;
  error: { code: string; message: string } | null;
  /** JSON text of the page of the first URL; null if none is stored. */
  page: string | null;
}

/** Null if the user has no such job. */
export async function findResult(sql: Sql, userId: string, jobId: string): Promise<JobResult | null> {
  const [row] = await sql.query<{
    status: JobStatus;
    error_code: string | null;
    error_message: string | null;
    page: string | null;
  }>(FIND_RESULT, [userId, jobId]);
  if (!row) return null;
  const { status, error_code: code, error_message: message, page } = row;
  return { status, error: code === null ? null : { code, message: message ?? '' }, page };
}

const FIND_RESULT = statement(
  'find_result',
  `
  SELECT j.status, j.error_code, j.error_message,
         (SELECT p.content::text FROM pages p WHERE p.job_id = j.id AND p.position = 0) AS page
  FROM jobs j WHERE j.user_id = $1 AND j.id = $2
  `,
);
