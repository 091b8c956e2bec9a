import { ErrorCode } from '../../core/errors.ts';
import type { Fence } from '../../core/jobs/job.ts';
import { settle, type Transition } from '../../core/jobs/job-state.ts';
import type { RetryPolicy } from '../../core/jobs/retry.ts';
import { withoutNul } from '../../core/text.ts';
import type { Database, Sql } from '../connect.ts';
import { insertEvents } from '../insert-events.ts';
import { statement } from '../statement.ts';
import { changeTurns, SLOT_MS } from './turns.ts';

export interface Settlement {
  run: Fence;
  transition: Transition;
  /** Only if the lease is still this one: a holder that was silent may have renewed it since. */
  leaseUntil?: string | null;
}

/**
 * Ends runs as `settle` decided: the job's new state, the attempt's history and the event, in one
 * statement for many runs. Returns for each, in order, whether it was applied; false means that the
 * fence no longer held and nothing changed.
 */
export async function settleJobs(sql: Sql, settlements: Settlement[]): Promise<boolean[]> {
  const input = settlements
    .map(({ run, transition, leaseUntil }) => ({
      id: run.id,
      attempt: run.attempt,
      worker_id: run.workerId,
      status: transition.status,
      outcome: transition.outcome,
      delay_ms: transition.delayMs,
      spends: transition.spendsAttempt,
      snoozes: transition.snoozes,
      remembered: transition.recordAttempt,
      error_code: transition.error?.code ?? null,
      error_message: transition.error ? withoutNul(transition.error.message).slice(0, 2000) : null,
      event: transition.event,
      lease_until: leaseUntil ?? null,
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const rows = await sql.query<{ id: string }>(SETTLE_JOBS, [JSON.stringify(input)]);
  const settled = new Set(rows.map(({ id }) => id));
  return settlements.map(({ run }) => settled.has(run.id));
}

/** The source of a job's messages; `queue/` has the same name and does not depend on `db/`. */
const SCRAPE_QUEUE = 'scrape_jobs';

/**
 * `lease_until IS NOT NULL` is `status = 'running'` by a constraint of the table. With the status,
 * the planner takes the index of running jobs and reads all of them, and all that ran since the
 * last vacuum, instead of the few that end.
 */
const SETTLE_JOBS = statement(
  'settle_jobs',
  `
  WITH settled AS (
    UPDATE jobs j
    SET status = s.status,
        attempt = j.attempt - CASE WHEN s.spends THEN 0 ELSE 1 END,
        snoozes = CASE WHEN s.outcome = 'snooze' THEN s.snoozes ELSE j.snoozes END,
        run_at = CASE WHEN s.status = 'retrying' THEN now() + s.delay_ms * interval '1 ms' ELSE j.run_at END,
        finished_at = CASE WHEN s.status IN ('completed', 'failed', 'cancelled') THEN now() END,
        dispatched_at = NULL, lease_until = NULL, error_code = s.error_code, error_message = s.error_message
    FROM json_to_recordset($1::json) AS s (id uuid, attempt int, worker_id text, status text, outcome text, delay_ms float8,
                                           spends boolean, snoozes int, remembered boolean, error_code text, error_message text, event text, lease_until timestamptz)
    WHERE j.id = s.id AND j.attempt = s.attempt AND j.worker_id = s.worker_id AND j.lease_until IS NOT NULL
      AND (s.lease_until IS NULL OR j.lease_until = s.lease_until)
    RETURNING j.id, j.user_id, j.correlation_id, j.attempt_started_at, j.status, j.run_at, j.pages_count, j.leads_count,
              j.errors_count, j.worker_id, s.attempt, s.remembered, s.outcome, s.error_code, s.error_message, s.event
  ), history AS (
    INSERT INTO attempts (job_id, started_at, attempt, worker_id, outcome, error_code, error_message)
    SELECT id, attempt_started_at, attempt, worker_id, outcome, error_code, error_message FROM settled WHERE remembered
  ), dead_lettered AS (
    INSERT INTO dead_letters (job_id, user_id, queue, code, message)
    SELECT id, user_id, '${SCRAPE_QUEUE}', coalesce(error_code, ''), coalesce(error_message, '')
    FROM settled WHERE status = 'failed'
  ), settle_event AS (${insertEvents({
    ...{ from: 'settled', type: 'event', jobId: 'id' },
    data: `json_build_object(
             'job_id', id, 'status', status, 'attempt', attempt, 'outcome', outcome,
             'run_at', CASE WHEN status = 'retrying' THEN run_at END,
             'counts', json_build_object('pages', pages_count, 'leads', leads_count, 'errors', errors_count),
             'error', CASE WHEN error_code IS NOT NULL THEN json_build_object('code', error_code, 'message', error_message) END)`,
  })}), turns_changed AS (${changeTurns({ from: 'settled', slotMs: SLOT_MS })})
  SELECT id FROM settled
  `,
);

const lost = { code: ErrorCode.workerLost, message: 'the worker that ran this attempt was lost' };

/**
 * Ends one run whose worker is gone, as the worker itself would. False if that run had ended before
 * or its lease was renewed.
 */
export async function settleCrashedRun(
  sql: Sql,
  run: Fence & { maxAttempts: number; leaseUntil: string | null },
  policy: RetryPolicy,
): Promise<boolean> {
  const transition = settle({ ...run, snoozes: 0 }, { kind: 'crashed', error: lost }, policy, 0);
  const [settled] = await settleJobs(sql, [{ run, transition, leaseUntil: run.leaseUntil }]);
  return settled ?? false;
}

/**
 * Ends every run whose lease has expired; returns their fences. Rows locked by another rescuer are
 * skipped.
 */
export async function settleExpiredRuns(
  database: Database,
  policy: RetryPolicy,
  limit: number,
): Promise<Fence[]> {
  return database.transaction(async (sql) => {
    const runs = await sql.query<Fence & { maxAttempts: number }>(LOCK_EXPIRED_RUNS, [limit]);
    if (runs.length === 0) return [];
    await settleJobs(
      sql,
      runs.map((run) => ({
        run,
        transition: settle({ ...run, snoozes: 0 }, { kind: 'crashed', error: lost }, policy, 0),
      })),
    );
    return runs;
  });
}

const LOCK_EXPIRED_RUNS = statement(
  'lock_expired_runs',
  `
  SELECT id, attempt, worker_id AS "workerId", max_attempts AS "maxAttempts" FROM jobs
  WHERE status = 'running' AND lease_until < now()
  LIMIT $1 FOR UPDATE SKIP LOCKED
  `,
);
