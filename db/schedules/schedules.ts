import type { JobSpec } from '../../core/jobs/job.ts';
import { secretsOf, shownSpec } from '../../core/jobs/job-secrets.ts';
import type { Missed, Overlap } from '../../core/schedules/due-run.ts';
import type { Timing } from '../../core/schedules/due-times.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Sql } from '../connect.ts';
import { type KeysetCursor, keyset, keysetValues, pageOf } from '../keyset.ts';
import { place } from '../secrets/places.ts';
import { statement } from '../statement.ts';

/** What a user says of a schedule. */
export interface ScheduleFields extends Timing {
  name: string | null;
  overlap: Overlap;
  missed: Missed;
  jitter_seconds: number;
  paused: boolean;
}

export interface Schedule extends ScheduleFields {
  id: string;
  user_id: string;
  /** Without its secrets. */
  job: JobSpec;
  created_at: Date;
  /** The next due time; null: paused or ended. */
  next_due_at: Date | null;
  last_job_id: string | null;
}

/** The next due time of a schedule, and when it starts. */
export interface NextDue {
  dueAt: Date;
  startsAt: Date;
}

/** A schedule is looked at for each of its due times; a user's script must not make a million. */
export const MAX_SCHEDULES = 10_000;

export const newScheduleId = (): string => uuidv7();

/** Null if the user has `MAX_SCHEDULES`. */
export async function createSchedule(
  sql: Sql,
  schedule: ScheduleFields & { id: string; userId: string; job: JobSpec; next: NextDue | null },
): Promise<Schedule | null> {
  const [row] = await sql.query<Schedule>(CREATE_SCHEDULE, [
    schedule.id,
    schedule.userId,
    ...fieldValues(schedule),
    JSON.stringify(shownSpec(schedule.job)),
    sealedJob(sql, schedule.id, schedule.job),
    MAX_SCHEDULES,
  ]);
  return row ?? null;
}

/** A user's, newest first. */
export async function listSchedules(
  sql: Sql,
  page: { userId: string; paused: boolean | undefined; limit: number; after: KeysetCursor | null },
): Promise<{ schedules: Schedule[]; next: KeysetCursor | null }> {
  const rows = await sql.query<Schedule & { cursor: string }>(LIST_SCHEDULES, [
    page.userId,
    ...keysetValues(page.after),
    page.limit + 1,
    page.paused ?? null,
  ]);
  const { items, next } = pageOf(rows, page.limit, ({ cursor, ...schedule }): Schedule => schedule);
  return { schedules: items, next };
}

export async function findSchedule(sql: Sql, userId: string, id: string): Promise<Schedule | null> {
  const [row] = await sql.query<Schedule>(FIND_SCHEDULE, [userId, id]);
  return row ?? null;
}

/** Locks it: its due time is not decided meanwhile. Also its job with the secrets. */
export async function lockSchedule(sql: Sql, userId: string, id: string): Promise<LockedSchedule | null> {
  const [row] = await sql.query<Schedule & { secrets: Buffer | null }>(LOCK_SCHEDULE, [userId, id]);
  if (!row) return null;
  const { secrets, ...schedule } = row;
  return { schedule, openJob: () => openJob(sql, row) };
}

export interface LockedSchedule {
  schedule: Schedule;
  /** @throws SecretUnreadable */
  openJob(): JobSpec;
}

/** Replaces all fields of a locked schedule; its job and its next due time only if they are given. */
export async function changeSchedule(
  sql: Sql,
  id: string,
  change: ScheduleFields & { job: JobSpec | undefined; next: NextDue | null | undefined },
): Promise<Schedule> {
  const [row] = await sql.query<Schedule>(CHANGE_SCHEDULE, [
    id,
    ...fieldValues(change),
    change.job ? JSON.stringify(shownSpec(change.job)) : null,
    change.job ? sealedJob(sql, id, change.job) : null,
    change.next !== undefined,
  ]);
  if (!row) throw new Error(`schedule ${id} is locked and not there`);
  return row;
}

/** With the history of its runs; their jobs stay. */
export async function deleteSchedule(sql: Sql, userId: string, id: string): Promise<boolean> {
  const rows = await sql.query(DELETE_SCHEDULE, [userId, id]);
  return rows.length > 0;
}

/** A stored job with its secrets. @throws SecretUnreadable */
export const openJob = (
  sql: Sql,
  { id, job, secrets }: { id: string; job: JobSpec; secrets: Buffer | null },
): JobSpec => (secrets === null ? job : JSON.parse(sql.secrets.open(secrets, place.schedule(id))));

const sealedJob = (sql: Sql, id: string, job: JobSpec): Buffer | null =>
  secretsOf(job) && sql.secrets.seal(JSON.stringify(job), place.schedule(id));

const fieldValues = (schedule: ScheduleFields & { next: NextDue | null | undefined }) => [
  ...[schedule.name, schedule.cron, schedule.every_seconds, schedule.timezone],
  ...[schedule.overlap, schedule.missed, schedule.jitter_seconds],
  ...[schedule.starts_at, schedule.ends_at, schedule.paused],
  ...[schedule.next?.dueAt ?? null, schedule.next?.startsAt ?? null],
];

const NEWEST = keyset('created_at', 'id');

const COLUMNS = `
  id, user_id, name, cron, every_seconds, timezone, job, overlap, missed, jitter_seconds, starts_at, ends_at, paused,
  created_at, next_due_at, last_job_id`;

const CREATE_SCHEDULE = statement(
  'create_schedule',
  `
  INSERT INTO schedules (id, user_id, name, cron, every_seconds, timezone, overlap, missed, jitter_seconds, starts_at, ends_at,
                         paused, next_due_at, next_start_at, job, secrets)
  SELECT $1::uuid, $2::uuid, $3::text, $4::text, $5::int, $6::text, $7::text, $8::text, $9::int, $10::timestamptz,
         $11::timestamptz, $12::boolean, $13::timestamptz, $14::timestamptz, $15::json, $16::bytea
  WHERE (SELECT count(*) FROM (SELECT FROM schedules WHERE user_id = $2 LIMIT $17) AS own) < $17
  RETURNING ${COLUMNS}
  `,
);
const LIST_SCHEDULES = statement(
  'list_schedules',
  `
  SELECT ${COLUMNS}, ${NEWEST.column} FROM schedules
  WHERE user_id = $1 AND ${NEWEST.behind('$2', '$3')} AND ($5::boolean IS NULL OR paused = $5)
  ORDER BY ${NEWEST.order} LIMIT $4
  `,
);
const FIND_SCHEDULE = statement(
  'find_schedule',
  `SELECT ${COLUMNS} FROM schedules WHERE user_id = $1 AND id = $2`,
);
const LOCK_SCHEDULE = statement(
  'lock_schedule',
  `SELECT ${COLUMNS}, secrets FROM schedules WHERE user_id = $1 AND id = $2 FOR UPDATE`,
);
const CHANGE_SCHEDULE = statement(
  'change_schedule',
  `
  UPDATE schedules
  SET name = $2, cron = $3, every_seconds = $4, timezone = $5, overlap = $6, missed = $7, jitter_seconds = $8, starts_at = $9,
      ends_at = $10, paused = $11, has_waited = has_waited AND NOT $16::boolean,
      next_due_at = CASE WHEN $16 THEN $12::timestamptz ELSE next_due_at END,
      next_start_at = CASE WHEN $16 THEN $13::timestamptz ELSE next_start_at END,
      job = coalesce($14::json, job), secrets = CASE WHEN $14 IS NULL THEN secrets ELSE $15::bytea END
  WHERE id = $1
  RETURNING ${COLUMNS}
  `,
);
const DELETE_SCHEDULE = statement(
  'delete_schedule',
  'DELETE FROM schedules WHERE user_id = $1 AND id = $2 RETURNING id',
);
