import type { JobStatus } from '../../core/jobs/job-status.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Sql } from '../connect.ts';
import { mayStart } from '../jobs/held-users.ts';
import { type KeysetCursor, keyset, keysetValues, pageOf } from '../keyset.ts';
import { statement } from '../statement.ts';
import type { NextDue, Schedule } from './schedules.ts';

export type RunOutcome = 'started' | 'skipped_overlap' | 'skipped_missed' | 'failed';

/** What became of a due time. */
export interface ScheduleRun {
  due_at: Date;
  /** The first of the due times that this one stands for; null: it stands for itself. */
  merged_since: Date | null;
  outcome: RunOutcome;
  by_hand: boolean;
  job_id: string | null;
  /** Null: no job was made, or it is deleted. */
  job_status: JobStatus | null;
  error: string | null;
  decided_at: Date;
}

/** A schedule whose time to start has come, locked. */
export interface DueSchedule extends Schedule {
  next_due_at: Date;
  has_waited: boolean;
  /** The job of the run before has not ended. */
  is_running: boolean;
  /** Its user is disabled. */
  is_held: boolean;
  secrets: Buffer | null;
}

/**
 * Locks schedules that are due, the longest overdue first. Those that another process decides now
 * are left to it.
 *
 * @param only these; an empty list: any
 */
export const takeDueSchedules = (sql: Sql, limit: number, only: string[] = []): Promise<DueSchedule[]> =>
  sql.query<DueSchedule>(only.length > 0 ? TAKE_DUE_OF : TAKE_DUE, only.length > 0 ? [only] : [limit]);

/** A decision about a due time, and what comes next. */
export interface DecidedRun {
  scheduleId: string;
  dueAt: Date;
  mergedSince: Date | null;
  outcome: RunOutcome;
  jobId: string | null;
  error: string | null;
  next: NextDue | null;
}

/** Stores decisions and moves the schedules on. They are locked. */
export async function storeRuns(sql: Sql, runs: DecidedRun[]): Promise<void> {
  const rows = runs.map((run) => ({
    id: uuidv7(),
    schedule_id: run.scheduleId,
    due_at: run.dueAt,
    merged_since: run.mergedSince,
    outcome: run.outcome,
    job_id: run.jobId,
    error: run.error,
    next_due_at: run.next?.dueAt ?? null,
    next_start_at: run.next?.startsAt ?? null,
  }));
  await sql.query(STORE_RUNS, [JSON.stringify(rows)]);
}

/** Looks at these schedules again after a while: their due time waits. */
export async function postponeSchedules(sql: Sql, ids: string[], ms: number): Promise<void> {
  await sql.query(POSTPONE, [ids, ms]);
}

/** A run that its user asked for; the due times stay. */
export async function storeRunByHand(sql: Sql, run: { scheduleId: string; jobId: string }): Promise<void> {
  await sql.query(STORE_RUN_BY_HAND, [uuidv7(), run.scheduleId, run.jobId]);
}

/** Of a schedule, newest first. */
export async function listScheduleRuns(
  sql: Sql,
  page: { scheduleId: string; limit: number; after: KeysetCursor | null },
): Promise<{ runs: ScheduleRun[]; next: KeysetCursor | null }> {
  const rows = await sql.query<ScheduleRun & { id: string; cursor: string }>(LIST_RUNS, [
    page.scheduleId,
    ...keysetValues(page.after),
    page.limit + 1,
  ]);
  const { items, next } = pageOf(rows, page.limit, ({ id, cursor, ...run }): ScheduleRun => run);
  return { runs: items, next };
}

/** The last runs of each of these schedules, newest first. */
export async function listLastRuns(
  sql: Sql,
  scheduleIds: string[],
  count: number,
): Promise<Map<string, ScheduleRun[]>> {
  const rows = await sql.query<ScheduleRun & { schedule_id: string; id: string }>(LIST_LAST_RUNS, [
    scheduleIds,
    count,
  ]);
  const runs = new Map<string, ScheduleRun[]>(scheduleIds.map((id) => [id, []]));
  for (const { schedule_id, id, ...run } of rows) runs.get(schedule_id)?.push(run);
  return runs;
}

const DUE_COLUMNS = `
  s.id, s.user_id, s.name, s.cron, s.every_seconds, s.timezone, s.job, s.secrets, s.overlap, s.missed, s.jitter_seconds,
  s.starts_at, s.ends_at, s.paused, s.created_at, s.next_due_at, s.last_job_id, s.has_waited,
  EXISTS (SELECT FROM jobs j WHERE j.id = s.last_job_id
            AND j.status IN ('scheduled', 'queued', 'running', 'retrying')) AS is_running,
  NOT (${mayStart('s.user_id')}) AS is_held`;

const TAKE_DUE = statement(
  'take_due_schedules',
  `
  SELECT ${DUE_COLUMNS} FROM schedules s WHERE s.next_start_at <= now()
  ORDER BY s.next_start_at LIMIT $1 FOR UPDATE SKIP LOCKED
  `,
);
const TAKE_DUE_OF = statement(
  'take_these_due_schedules',
  `
  SELECT ${DUE_COLUMNS} FROM schedules s WHERE s.id = ANY ($1::uuid[]) AND s.next_start_at <= now()
  FOR UPDATE SKIP LOCKED
  `,
);

/** The key of a run fails the transaction if its time was decided before: then nothing is stored. */
const STORE_RUNS = statement(
  'store_schedule_runs',
  `
  WITH decided AS (
    SELECT * FROM json_to_recordset($1::json) AS r (
      id uuid, schedule_id uuid, due_at timestamptz, merged_since timestamptz, outcome text, job_id uuid, error text,
      next_due_at timestamptz, next_start_at timestamptz)
  ), stored AS (
    INSERT INTO schedule_runs (id, schedule_id, due_at, merged_since, outcome, job_id, error)
    SELECT id, schedule_id, due_at, merged_since, outcome, job_id, error FROM decided
  )
  UPDATE schedules s
  SET next_due_at = d.next_due_at, next_start_at = d.next_start_at, has_waited = false,
      last_job_id = coalesce(d.job_id, s.last_job_id)
  FROM decided d WHERE s.id = d.schedule_id
  `,
);
const POSTPONE = statement(
  'postpone_schedules',
  `
  UPDATE schedules SET has_waited = true, next_start_at = now() + $2::int * interval '1 millisecond'
  WHERE id = ANY ($1::uuid[])
  `,
);
const STORE_RUN_BY_HAND = statement(
  'store_schedule_run_by_hand',
  `
  WITH stored AS (
    INSERT INTO schedule_runs (id, schedule_id, due_at, outcome, by_hand, job_id)
    VALUES ($1, $2, clock_timestamp(), 'started', true, $3)
  )
  UPDATE schedules SET last_job_id = $3 WHERE id = $2
  `,
);

const NEWEST = keyset('r.decided_at', 'r.id');
const RUN_COLUMNS = `
  r.due_at, r.merged_since, r.outcome, r.by_hand, r.job_id,
  (SELECT j.status FROM jobs j WHERE j.id = r.job_id) AS job_status, r.error, r.decided_at`;

const LIST_RUNS = statement(
  'list_schedule_runs',
  `
  SELECT r.id, ${RUN_COLUMNS}, ${NEWEST.column}
  FROM schedule_runs r WHERE r.schedule_id = $1 AND ${NEWEST.behind('$2', '$3')}
  ORDER BY ${NEWEST.order} LIMIT $4
  `,
);
const LIST_LAST_RUNS = statement(
  'list_last_schedule_runs',
  `
  SELECT s.id AS schedule_id, r.* FROM unnest($1::uuid[]) WITH ORDINALITY AS s (id, place),
  LATERAL (SELECT ${RUN_COLUMNS}, r.id FROM schedule_runs r WHERE r.schedule_id = s.id
           ORDER BY ${NEWEST.order} LIMIT $2) AS r
  ORDER BY s.place, r.decided_at DESC, r.id DESC
  `,
);
