import type { Job } from '../../core/jobs/job.ts';
import { DEFAULT_MAX_ATTEMPTS } from '../../core/jobs/job-schemas.ts';
import { isFinal, JOB_STATUSES } from '../../core/jobs/job-status.ts';
import type { Database, Sql } from '../connect.ts';
import { insertEvents } from '../insert-events.ts';
import { type Statement, statement } from '../statement.ts';
import { type JobFilter, matches, valuesOf } from './list.ts';
import { findJob } from './read.ts';
import { changeTurns, SLOT_MS } from './turns.ts';

/** What a user may do to their own job. */
export type JobChange =
  | { kind: 'changed'; job: Job }
  /** The job's state does not allow it. */
  | { kind: 'not_allowed'; job: Job }
  | { kind: 'not_found' };

/**
 * Cancels a job that is not final. A running job is cancelled at once, without waiting for its
 * worker: the fence rejects later writes of the worker, and the worker learns of the cancel with
 * its next heartbeat and aborts.
 */
export const cancelJob = (database: Sql, userId: string, id: string): Promise<JobChange> =>
  change(database, CANCEL_JOB, userId, id);

/**
 * Runs a failed or cancelled job again, with as many further attempts as it had at first. Its
 * history stays, and so do the pages that were stored without an error.
 */
export const retryJob = (database: Sql, userId: string, id: string): Promise<JobChange> =>
  change(database, RETRY_JOB, userId, id);

async function change(database: Sql, sql: Statement, userId: string, id: string): Promise<JobChange> {
  const changed = await database.query(sql, [userId, id]);
  const job = await findJob(database, userId, id);
  if (!job) return { kind: 'not_found' };
  return { kind: changed.length > 0 ? 'changed' : 'not_allowed', job };
}

/** The counts of job `j` as its events carry them. */
export const COUNTS_OF_JOB = `
  json_build_object('pages', j.pages_count, 'leads', j.leads_count, 'errors', j.errors_count)`;

/**
 * Runs the jobs of `chosen (id)` that failed or were cancelled again, as `retried (id)`, and closes
 * their dead letters. Each gets as many further attempts as it had at first: the attempt count
 * continues, because it is the fence.
 */
export const REQUEUE_JOBS = `
  retried AS (
    UPDATE jobs j
    SET status = 'queued', max_attempts = attempt + coalesce((spec->>'max_attempts')::int, ${DEFAULT_MAX_ATTEMPTS}), run_at = now(),
        snoozes = 0, dispatched_at = NULL, finished_at = NULL, error_code = NULL, error_message = NULL, progress_message = NULL
    FROM chosen WHERE j.id = chosen.id AND j.status IN ('failed', 'cancelled') AND j.deletion_id IS NULL
    RETURNING j.id, j.user_id, j.correlation_id, j.attempt, ${COUNTS_OF_JOB} AS counts
  ), closed AS (
    UPDATE dead_letters d SET resolved_at = now(), resolution = 'requeued'
    FROM retried r WHERE d.job_id = r.id AND d.resolved_at IS NULL
  ), requeue_event AS (${insertEvents({
    ...{ from: 'retried', type: "'job.requeued'", jobId: 'id' },
    data: `json_build_object('job_id', id, 'status', 'queued', 'attempt', attempt, 'outcome', 'retry_requested',
                             'run_at', NULL, 'counts', counts, 'error', NULL)`,
  })}), turns_changed AS (${changeTurns({ from: 'retried' })})`;

/**
 * Cancels the jobs that `condition` selects. The locked row shows whether a job was running: only
 * then is there an attempt to end. (`RETURNING old` came with Postgres 18.)
 */
const cancelWhere = (condition: string): string => `
  WITH before AS (
    SELECT j.id, j.user_id, j.status, j.attempt, j.worker_id, j.attempt_started_at FROM jobs j
    WHERE j.user_id = $1 AND j.status IN (${UNFINISHED}) AND ${condition}
    FOR UPDATE
  ), cancelled AS (
    UPDATE jobs j SET status = 'cancelled', finished_at = now(), lease_until = NULL, dispatched_at = NULL
    FROM before b WHERE j.id = b.id
    RETURNING j.id, j.user_id, j.correlation_id, j.attempt, ${COUNTS_OF_JOB} AS counts
  ), history AS (
    INSERT INTO attempts (job_id, started_at, attempt, worker_id, outcome)
    SELECT id, attempt_started_at, attempt, worker_id, 'cancelled' FROM before WHERE status = 'running'
  ), event AS (${insertEvents({
    ...{ from: 'cancelled', type: "'job.cancelled'", jobId: 'id' },
    data: `json_build_object('job_id', id, 'status', 'cancelled', 'attempt', attempt, 'outcome', 'cancelled',
                             'run_at', NULL, 'counts', counts, 'error', NULL)`,
  })}), turns_changed AS (${changeTurns({ from: "before WHERE status = 'running'", slotMs: SLOT_MS })})
  SELECT id FROM cancelled`;

const UNFINISHED = `'scheduled', 'queued', 'running', 'retrying'`;

export const CANCEL_JOB = statement('cancel_job', cancelWhere('j.id = $2'));
export const CANCEL_THESE_JOBS = statement('cancel_these_jobs', cancelWhere('j.id = ANY ($2::uuid[])'));

/**
 * Locked in the order of their ids, so that two concurrent cancels of the same jobs do not
 * deadlock.
 */
const CANCEL_JOBS = statement(
  'cancel_jobs',
  cancelWhere(`j.id = ANY (ARRAY(
    SELECT c.id FROM unnest($6::text[]) AS s (status),
    LATERAL (SELECT j.id FROM jobs j WHERE j.user_id = $1 AND j.status = s.status AND ${matches(2)} LIMIT $7) AS c
    LIMIT $7))`),
);

const CANCEL_AT_ONCE = 500;

/**
 * Cancels the matching jobs of a user that are not final; returns their ids. Jobs accepted
 * meanwhile are not included.
 */
export async function cancelJobs(database: Database, userId: string, filter: JobFilter): Promise<string[]> {
  const statuses = (filter.statuses ?? JOB_STATUSES).filter((status) => !isFinal(status));
  const createdBefore = filter.createdBefore ?? new Date().toISOString();
  const cancelled: string[] = [];
  for (;;) {
    const rows = await database.query<{ id: string }>(CANCEL_JOBS, [
      ...[userId, ...valuesOf({ ...filter, createdBefore })],
      ...[statuses, CANCEL_AT_ONCE],
    ]);
    cancelled.push(...rows.map(({ id }) => id));
    if (rows.length < CANCEL_AT_ONCE) return cancelled;
  }
}

const RETRY_JOB = statement(
  'retry_job',
  `
  WITH chosen AS (SELECT id FROM jobs WHERE user_id = $1 AND id = $2),
  ${REQUEUE_JOBS} SELECT id FROM retried
  `,
);
