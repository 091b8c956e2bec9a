import { z } from 'zod';
import {
  changeScheduleRequest,
  createScheduleRequest,
  listRunsQuery,
  listSchedulesQuery,
} from '../../core/schedules/schedule-schemas.ts';
import { anything, created, listOf, type Operations, ok, removed, time, uuid } from './operation.ts';

const run = z.looseObject({ due_at: time }).meta({ id: 'ScheduleRun' });
const schedule = z
  .looseObject({
    id: uuid,
    name: z.string().nullable(),
    cron: z.string().nullable(),
    every: z.int().nullable(),
    timezone: z.string().nullable(),
    paused: z.boolean(),
    next_times: z.array(time),
    last_runs: z.array(run),
  })
  .meta({ id: 'Schedule' });

export const scheduleOperations: Operations = {
  'GET /api/v1/schedules': {
    summary: 'List schedules',
    query: listSchedulesQuery,
    answers: ok('Schedules', listOf('schedules', schedule)),
  },
  'POST /api/v1/schedules': {
    summary: 'Add a schedule',
    body: createScheduleRequest,
    isIdempotent: true,
    answers: created('The schedule', schedule),
  },
  'GET /api/v1/schedules/:id': { summary: 'Show a schedule', answers: ok('It', schedule) },
  'PATCH /api/v1/schedules/:id': {
    summary: 'Change, pause or resume a schedule',
    body: changeScheduleRequest,
    answers: ok('It, changed', schedule),
  },
  'DELETE /api/v1/schedules/:id': { summary: 'Remove a schedule', answers: removed('It is gone') },
  'POST /api/v1/schedules/:id/run': {
    summary: 'Make the job of a schedule now',
    isIdempotent: true,
    answers: { 202: { says: 'The job', json: anything } },
  },
  'GET /api/v1/schedules/:id/runs': {
    summary: 'List the runs of a schedule',
    query: listRunsQuery,
    answers: ok('Runs', listOf('runs', run)),
  },
};
