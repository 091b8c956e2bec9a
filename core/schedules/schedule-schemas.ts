import { z } from 'zod';
import { type ScrapeRequest, scrapeRequest } from '../jobs/job-schemas.ts';
import { moment, queryBoolean, queryInt, string, text, timeZone } from '../schema-primitives.ts';
import { MISSED, OVERLAPS } from './due-run.ts';
import { cronProblem } from './due-times.ts';

/** Requests about schedules, and their types. */

const SECONDS_OF = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const LONGEST_SECONDS = 366 * SECONDS_OF.d;

/** `30s`, `15m`, `6h`, `1d`, or a number of seconds; becomes seconds. */
const every = z
  .union([z.int(), string(20)], 'expected seconds, or 30s, 15m, 6h, 1d')
  .transform((given, context): number => {
    const [, count, unit] = typeof given === 'string' ? (/^(\d{1,9})([smhd])$/.exec(given) ?? []) : [];
    const seconds =
      typeof given === 'number' ? given : Number(count) * SECONDS_OF[unit as keyof typeof SECONDS_OF];
    if (seconds >= 1 && seconds <= LONGEST_SECONDS) return seconds;
    const message = Number.isNaN(seconds)
      ? 'expected seconds, or 30s, 15m, 6h, 1d'
      : 'expected between 1 second and 366 days';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const cron = text(200).superRefine((value, context) => {
  const problem = cronProblem(value);
  if (problem) context.addIssue({ code: 'custom', message: problem });
});

/** A job without a moment of its own. */
const scheduledJob: z.ZodType<ScrapeRequest> = scrapeRequest.superRefine((job, context) => {
  if (job.run_at === undefined) return;
  context.addIssue({
    code: 'custom',
    path: ['run_at'],
    message: 'not in a schedule, which says when its jobs run',
  });
});

const fields = {
  name: text(200).optional(),
  cron: cron.optional(),
  every: every.optional(),
  timezone: timeZone.optional(),
  job: scheduledJob,
  overlap: z.enum(OVERLAPS).optional(),
  missed: z.enum(MISSED).optional(),
  jitter_seconds: z.int().min(0).max(86_400).optional(),
  starts_at: moment.optional(),
  ends_at: moment.optional(),
  paused: z.boolean().optional(),
};

type Times = { cron?: string | undefined; every?: number | undefined; timezone?: string | undefined };

function refuseTwoClocks({ cron, every, timezone }: Times, context: z.RefinementCtx): void {
  if (cron !== undefined && every !== undefined) {
    context.addIssue({ code: 'custom', path: ['every'], message: 'expected cron or every, not both' });
  }
  if (every !== undefined && timezone !== undefined) {
    context.addIssue({ code: 'custom', path: ['timezone'], message: 'counts for cron only' });
  }
}

/** Body of `POST /schedules`. */
export const createScheduleRequest = z.strictObject(fields).superRefine((body, context) => {
  refuseTwoClocks(body, context);
  if (body.cron === undefined && body.every === undefined) {
    context.addIssue({ code: 'custom', message: 'expected cron or every' });
  }
});
export type CreateScheduleRequest = z.infer<typeof createScheduleRequest>;

/** Body of `PATCH /schedules/{id}`; absent fields stay. `null` ends `ends_at`. */
export const changeScheduleRequest = z
  .strictObject({
    ...fields,
    job: fields.job.optional(),
    ends_at: moment.nullable().optional(),
  })
  .superRefine(refuseTwoClocks)
  .refine((body) => Object.keys(body).length > 0, 'expected at least one field to change');
export type ChangeScheduleRequest = z.infer<typeof changeScheduleRequest>;

/** Query of `GET /schedules`. */
export const listSchedulesQuery = z.strictObject({
  paused: queryBoolean.optional(),
  limit: queryInt(1, 200).default(50),
  cursor: string(500).optional(),
});

/** Query of `GET /schedules/{id}/runs`. */
export const listRunsQuery = z.strictObject({
  limit: queryInt(1, 200).default(50),
  cursor: string(500).optional(),
});
