import type { Attempt, Job, JobSpec } from '../../core/jobs/job.ts';
import { shownSpec } from '../../core/jobs/job-secrets.ts';
import { isFinal, type JobStatus, type OutcomeKind } from '../../core/jobs/job-status.ts';
import { waitingFor } from '../../core/jobs/waiting-for.ts';
import type { Sql } from '../connect.ts';
import { keyset } from '../keyset.ts';
import { statement } from '../statement.ts';

/** A user's job, or with null that of any user; null if there is none of that id. */
export async function findJob(sql: Sql, userId: string | null, id: string): Promise<Job | null> {
  const [row] = await sql.query<JobRow>(FIND_JOB, [userId, id]);
  return row ? toJob(row) : null;
}

/** Whose a job is; null if there is none. */
export async function findJobOwner(sql: Sql, id: string): Promise<string | null> {
  const [row] = await sql.query<{ user_id: string }>(FIND_JOB_OWNER, [id]);
  return row?.user_id ?? null;
}

const FIND_JOB_OWNER = statement(
  'find_job_owner',
  'SELECT user_id FROM jobs WHERE id = $1 AND deletion_id IS NULL',
);

/** Those of these jobs that are final or deleted. One statement for many waiting requests. */
export async function listFinished(sql: Sql, ids: string[]): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(LIST_FINISHED, [ids]);
  return rows.map(({ id }) => id);
}

const LIST_FINISHED = statement(
  'list_finished',
  `
  SELECT w.id FROM unnest($1::uuid[]) AS w (id)
  LEFT JOIN jobs j ON j.id = w.id
  WHERE j.id IS NULL OR j.status IN ('completed', 'failed', 'cancelled')
  `,
);

/** Number of jobs in each state that is not final. */
export async function countUnfinished(sql: Sql): Promise<Map<JobStatus, number>> {
  const rows = await sql.query<{ status: JobStatus; count: number }>(COUNT_UNFINISHED);
  return new Map(rows.map(({ status, count }) => [status, count]));
}

/** Each branch reads its own partial index; one GROUP BY over the table would read all of it. */
const COUNT_UNFINISHED = statement(
  'count_unfinished',
  `
  SELECT 'queued' AS status, (SELECT count(*) FROM jobs WHERE status = 'queued' AND dispatched_at IS NULL)::int
                           + (SELECT count(*) FROM jobs WHERE status = 'queued' AND dispatched_at IS NOT NULL)::int AS count
  UNION ALL SELECT 'running', count(*)::int FROM jobs WHERE status = 'running'
  UNION ALL (SELECT status, count(*)::int FROM jobs WHERE status IN ('scheduled', 'retrying') GROUP BY status)
  `,
);

export interface JobRow {
  id: string;
  user_id: string;
  cursor: string;
  status: JobStatus;
  attempt: number;
  max_attempts: number;
  priority: number;
  spec: JobSpec;
  progress_done: number;
  progress_total: number;
  progress_message: string | null;
  pages_count: number;
  leads_count: number;
  errors_count: number;
  error_code: string | null;
  error_message: string | null;
  created_at: Date;
  run_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  attempt_started_at: Date | null;
  worker_id: string | null;
  history: AttemptRow[];
  /** Of a queued job whose user has a limit. */
  limited: { running: number; limit: number } | null;
}

export interface AttemptRow {
  attempt: number;
  worker_id: string;
  started_at: string;
  finished_at: string;
  outcome: OutcomeKind;
  error_code: string | null;
  error_message: string | null;
}

/** The ended attempts of a job, oldest first, as JSON; `id` is one of our own SQL expressions. */
export const ATTEMPTS_OF = (id: string): string => `
  (SELECT coalesce(json_agg(a ORDER BY a.started_at), '[]')
   FROM (SELECT attempt, worker_id, started_at, finished_at, outcome, error_code, error_message
         FROM attempts WHERE job_id = ${id}) AS a)`;

const NEWEST = keyset('j.created_at', 'j.id');

/** Columns of a job as `toJob` reads them. */
export const JOB_COLUMNS = `
  j.id, j.user_id, ${NEWEST.column}, j.status, j.attempt, j.max_attempts, j.priority, j.spec, j.progress_done,
  j.progress_total, j.progress_message, j.pages_count, j.leads_count, j.errors_count, j.error_code, j.error_message,
  j.created_at, j.run_at, j.started_at, j.finished_at, j.attempt_started_at, j.worker_id,
  ${ATTEMPTS_OF('j.id')} AS history,
  (SELECT json_build_object('limit', running_limit(u), 'running',
                            (SELECT count(*) FROM jobs r WHERE r.user_id = u.id AND r.status = 'running'))
   FROM users u WHERE u.id = j.user_id AND j.status = 'queued' AND running_limit(u) IS NOT NULL) AS limited`;

const FIND_JOB = statement(
  'find_job',
  `SELECT ${JOB_COLUMNS} FROM jobs j WHERE j.id = $2 AND ($1::uuid IS NULL OR j.user_id = $1) AND j.deletion_id IS NULL`,
);

export function toJob(row: JobRow): Job {
  return {
    job_id: row.id,
    user_id: row.user_id,
    status: row.status,
    waiting_for: waitingFor(row.status, row.run_at, row.limited),
    attempt: row.attempt,
    max_attempts: row.max_attempts,
    priority: row.priority,
    spec: shownSpec(row.spec),
    progress: { done: row.progress_done, total: row.progress_total, message: row.progress_message },
    counts: { pages: row.pages_count, leads: row.leads_count, errors: row.errors_count },
    error: errorOf(row),
    attempts: [...row.history.map(toAttempt), ...runningAttempt(row)],
    created_at: row.created_at,
    run_at: row.run_at,
    started_at: row.started_at,
    finished_at: isFinal(row.status) ? row.finished_at : null,
  };
}

const errorOf = (row: { error_code: string | null; error_message: string | null }) =>
  row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' };

export const toAttempt = (row: AttemptRow): Attempt => ({
  attempt: row.attempt,
  worker: row.worker_id,
  started_at: new Date(row.started_at),
  finished_at: new Date(row.finished_at),
  outcome: row.outcome,
  error: errorOf(row),
});

/** The history holds ended attempts; the current one is in the job's own row. */
function runningAttempt(row: JobRow): Attempt[] {
  if (row.status !== 'running' || row.attempt_started_at === null) return [];
  return [
    {
      attempt: row.attempt,
      worker: row.worker_id,
      started_at: row.attempt_started_at,
      finished_at: null,
      outcome: null,
      error: null,
    },
  ];
}
