import { decideDue, LOOK_AGAIN_MS } from '../core/schedules/due-run.ts';
import { lastDueTime, nextDueTime, type Timing } from '../core/schedules/due-times.ts';
import { startTimeOf } from '../core/schedules/jitter.ts';
import { type Database, isDatabaseUnavailable, type Sql } from '../db/connect.ts';
import { type AcceptedJob, acceptJobs } from '../db/jobs/accept.ts';
import { cancelJob } from '../db/jobs/change.ts';
import {
  type DecidedRun,
  type DueSchedule,
  postponeSchedules,
  storeRuns,
  takeDueSchedules,
} from '../db/schedules/runs.ts';
import { type NextDue, openJob } from '../db/schedules/schedules.ts';
import { uuidv7 } from '../runtime/ids.ts';
import type { Logger } from '../runtime/log/logger.ts';

const BATCH = 250;
const PAUSE_MS = 250;

/**
 * Makes the jobs of schedules that are due. A due time, its job and the next due time are one
 * transaction, so a leader that is killed has made all of it or nothing, and two leaders do not make
 * two jobs.
 */
export function createScheduleRunner({
  database,
  logger,
}: {
  database: Database;
  logger: Logger;
}): () => Promise<number> {
  return async () => {
    const taken = await runDue(database, [], logger);
    return taken === BATCH ? 0 : PAUSE_MS;
  };
}

async function runDue(database: Database, only: string[], logger: Logger): Promise<number> {
  let ids: string[] = [];
  try {
    await database.transaction(async (sql) => {
      const due = await takeDueSchedules(sql, BATCH, only);
      ids = due.map(({ id }) => id);
      if (due.length > 0) await runTogether(sql, due, new Date(), logger);
    });
  } catch (error) {
    if (isDatabaseUnavailable(error) || ids.length === 0) throw error;
    // One of them is bad: alone, it does not hold up the others.
    const [first = ''] = ids;
    if (ids.length > 1) for (const id of ids) await runDue(database, [id], logger);
    else await giveUp(database, first, error, logger);
  }
  return ids.length;
}

async function runTogether(sql: Sql, due: DueSchedule[], now: Date, logger: Logger): Promise<void> {
  const waiting: string[] = [];
  const starting: { schedule: DueSchedule; run: DecidedRun }[] = [];
  const decided: DecidedRun[] = [];
  for (const schedule of due) {
    const run = runOf(schedule, now);
    if (schedule.is_held) {
      decided.push({ ...run, error: 'user_disabled' });
      continue;
    }
    const decision = decideDue(
      { ...schedule, isRunning: schedule.is_running, hasWaited: schedule.has_waited },
      run.dueAt,
      now,
    );
    switch (decision.kind) {
      case 'wait':
        waiting.push(schedule.id);
        break;
      case 'skip':
        decided.push({
          ...run,
          outcome: decision.reason === 'overlap' ? 'skipped_overlap' : 'skipped_missed',
        });
        break;
      case 'start':
        if (decision.cancelsRunning && schedule.last_job_id !== null) {
          await cancelJob(sql, schedule.user_id, schedule.last_job_id);
        }
        starting.push({ schedule, run });
        break;
      default:
        decision satisfies never;
    }
  }
  const jobs = await makeJobs(
    sql,
    starting.map(({ schedule }) => schedule),
  );
  for (const [index, { run }] of starting.entries()) {
    decided.push({ ...run, outcome: 'started', jobId: jobs[index]?.id ?? null });
  }
  if (waiting.length > 0) await postponeSchedules(sql, waiting, LOOK_AGAIN_MS);
  if (decided.length > 0) await storeRuns(sql, decided);
  logger.debug('schedules_run', { due: due.length, started: jobs.length, waiting: waiting.length });
}

async function makeJobs(sql: Sql, schedules: DueSchedule[]): Promise<AcceptedJob[]> {
  const submissions = schedules.map((schedule) => ({
    userId: schedule.user_id,
    correlationId: uuidv7(),
    specs: [openJob(sql, schedule)],
  }));
  const acceptances = submissions.length > 0 ? await acceptJobs(sql, submissions) : [];
  return acceptances.map((acceptance) => {
    const [job] = acceptance.kind === 'accepted' ? acceptance.jobs : [];
    if (!job) throw new Error('a scheduled job was not accepted');
    return job;
  });
}

/** Its latest due time, with what comes after it. The decision is still to be made. */
function runOf(schedule: DueSchedule, now: Date): DecidedRun {
  const dueAt = lastDueTime(schedule, schedule.next_due_at, now);
  return {
    scheduleId: schedule.id,
    dueAt,
    mergedSince: dueAt > schedule.next_due_at ? schedule.next_due_at : null,
    outcome: 'failed',
    jobId: null,
    error: null,
    next: nextDue(schedule, dueAt),
  };
}

/** The next due time after a moment, and when it starts; null: the schedule has ended. */
export function nextDue(
  schedule: Timing & { id: string; jitter_seconds: number },
  after: Date,
): NextDue | null {
  const dueAt = nextDueTime(schedule, after);
  return dueAt && { dueAt, startsAt: startTimeOf(schedule.id, dueAt, schedule.jitter_seconds) };
}

/** Records that a due time has no job, so that the schedule goes on with the next one. */
async function giveUp(database: Database, id: string, error: unknown, logger: Logger): Promise<void> {
  logger.error('schedule_failed', { schedule_id: id, error });
  await database.transaction(async (sql) => {
    const [schedule] = await takeDueSchedules(sql, 1, [id]);
    if (!schedule) return;
    const message = error instanceof Error ? error.name : 'error';
    await storeRuns(sql, [{ ...runOf(schedule, new Date()), error: message }]);
  });
}
