import { nextDueTimes } from '../../core/schedules/due-times.ts';
import {
  changeScheduleRequest,
  createScheduleRequest,
  listRunsQuery,
  listSchedulesQuery,
} from '../../core/schedules/schedule-schemas.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { listLastRuns, listScheduleRuns, type ScheduleRun } from '../../db/schedules/runs.ts';
import {
  changeSchedule,
  createSchedule,
  deleteSchedule,
  findSchedule,
  listSchedules,
  lockSchedule,
  MAX_SCHEDULES,
  newScheduleId,
  type Schedule,
} from '../../db/schedules/schedules.ts';
import { createOnce } from '../http/create-once.ts';
import { decodeJobCursor, encodeJobCursor } from '../http/cursor.ts';
import { conflict, notFound } from '../http/problem.ts';
import type { RefusedTargets } from '../http/refused-targets.ts';
import {
  type ApiRequest,
  type ApiResponse,
  type Handler,
  pathParameter,
  sendJson,
  sendNoContent,
} from '../http/route.ts';
import { readBody, readQuery, requireNoQuery } from '../http/validation.ts';
import { requirePriority, urlsOf } from '../jobs/submit.ts';
import { changedFields, newFields, nextOf } from './fields.ts';

const SHOWN_TIMES = 5;
const SHOWN_RUNS = 5;

/** `POST /schedules {cron | every, job, …}`: 201 with its next due times. */
export const addSchedule = (database: Database, refusedTargets: RefusedTargets): Handler =>
  createOnce(
    database,
    refusedTargets.refuseIn(createScheduleRequest, ({ job }) => jobUrlsOf(job)),
    async (sql, body, response) => {
      requirePriority(response.locals.caller.limits.highest_priority, [body.job], inSchedule);
      const id = newScheduleId();
      const now = new Date();
      const fields = newFields(body, now);
      const next = nextOf({ ...fields, id }, now);
      const { userId } = response.locals.caller;
      const schedule = await createSchedule(sql, { ...fields, id, userId, job: body.job, next });
      if (!schedule) {
        throw conflict(
          'too_many_schedules',
          `a user has at most ${MAX_SCHEDULES} schedules: delete some first`,
        );
      }
      return { body: shown(schedule, []), location: `/api/v1/schedules/${id}` };
    },
  );

/** `GET /schedules?paused=`, newest first. */
export const listOwnSchedules =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { paused, limit, cursor } = readQuery(request, listSchedulesQuery);
    const { userId } = response.locals.caller;
    const { schedules, next } = await listSchedules(sql, {
      ...{ userId, paused, limit },
      after: decodeJobCursor(cursor),
    });
    const ids = schedules.map(({ id }) => id);
    const runs = await listLastRuns(sql, ids, SHOWN_RUNS);
    sendJson(response, 200, {
      schedules: schedules.map((schedule) => shown(schedule, runs.get(schedule.id) ?? [])),
      next_cursor: next && encodeJobCursor(next),
    });
  };

/** `GET /schedules/{id}`. */
export const showSchedule =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    await sendSchedule(sql, response, await ownSchedule(sql, request, response));
  };

/** `PATCH /schedules/{id}`: fields that are absent stay; `paused` pauses and resumes. */
export const editSchedule = (database: Database, refusedTargets: RefusedTargets): Handler => {
  const schema = refusedTargets.refuseIn(changeScheduleRequest, ({ job }) => (job ? jobUrlsOf(job) : []));
  return async (request, response) => {
    requireNoQuery(request);
    const id = pathParameter(request, 'id');
    const body = await readBody(request, schema);
    if (body.job) requirePriority(response.locals.caller.limits.highest_priority, [body.job], inSchedule);
    const changed = await database.transaction(async (sql) => {
      const locked = await lockSchedule(sql, response.locals.caller.userId, id);
      if (!locked) throw noSuchSchedule();
      const { schedule } = locked;
      const fields = changedFields(schedule, body);
      const isRetimed = TIMING.some((name) => body[name] !== undefined);
      const next = isRetimed ? nextOf({ ...fields, id }, new Date()) : undefined;
      return changeSchedule(sql, id, { ...fields, job: body.job, next });
    });
    await sendSchedule(database, response, changed);
  };
};

const inSchedule = () => 'job.priority';

const TIMING = ['cron', 'every', 'timezone', 'jitter_seconds', 'starts_at', 'ends_at', 'paused'] as const;

/** `DELETE /schedules/{id}`: its jobs stay, those that wait or run too. */
export const removeSchedule =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { userId } = response.locals.caller;
    if (!(await deleteSchedule(sql, userId, pathParameter(request, 'id')))) throw noSuchSchedule();
    sendNoContent(response);
  };

/** `GET /schedules/{id}/runs`: what became of its due times, newest first. */
export const listRuns =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor } = readQuery(request, listRunsQuery);
    const { id } = await ownSchedule(sql, request, response);
    const { runs, next } = await listScheduleRuns(sql, {
      ...{ scheduleId: id, limit },
      after: decodeJobCursor(cursor),
    });
    sendJson(response, 200, { runs: runs, next_cursor: next && encodeJobCursor(next) });
  };

async function sendSchedule(sql: Sql, response: ApiResponse, schedule: Schedule): Promise<void> {
  const runs = await listLastRuns(sql, [schedule.id], SHOWN_RUNS);
  sendJson(response, 200, shown(schedule, runs.get(schedule.id) ?? []));
}

async function ownSchedule(sql: Sql, request: ApiRequest, response: ApiResponse): Promise<Schedule> {
  const schedule = await findSchedule(sql, response.locals.caller.userId, pathParameter(request, 'id'));
  if (!schedule) throw noSuchSchedule();
  return schedule;
}

export const noSuchSchedule = () => notFound('there is no such schedule');

const jobUrlsOf = (job: Parameters<typeof urlsOf>[0]) =>
  urlsOf(job).map(({ path, url }) => ({ path: ['job', ...path], url }));

function shown(schedule: Schedule, runs: ScheduleRun[]) {
  const { user_id, every_seconds, next_due_at, last_job_id, timezone, ...fields } = schedule;
  const times = next_due_at ? [next_due_at, ...nextDueTimes(schedule, next_due_at, SHOWN_TIMES - 1)] : [];
  return {
    ...fields,
    every: every_seconds,
    timezone: schedule.cron === null ? null : timezone,
    next_times: times,
    last_runs: runs,
  };
}
