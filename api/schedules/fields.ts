import type { ChangeScheduleRequest, CreateScheduleRequest } from '../../core/schedules/schedule-schemas.ts';
import type { NextDue, Schedule, ScheduleFields } from '../../db/schedules/schedules.ts';
import { nextDue } from '../../dispatch/schedules.ts';
import { invalidRequest } from '../http/problem.ts';

/** A new schedule's fields. By `every`, the first due time is `starts_at`: at once if it is not given. */
export const newFields = (body: CreateScheduleRequest, now: Date): ScheduleFields => ({
  name: body.name ?? null,
  cron: body.cron ?? null,
  every_seconds: body.every ?? null,
  timezone: body.timezone ?? 'UTC',
  overlap: body.overlap ?? 'skip',
  missed: body.missed ?? 'run_once',
  jitter_seconds: body.jitter_seconds ?? 0,
  starts_at: body.starts_at === undefined ? now : new Date(body.starts_at),
  ends_at: body.ends_at === undefined ? null : new Date(body.ends_at),
  paused: body.paused ?? false,
});

/** The fields as a change leaves them. `cron` replaces `every`, and the other way round. */
export function changedFields(schedule: Schedule, body: ChangeScheduleRequest): ScheduleFields {
  if (body.timezone !== undefined && body.cron === undefined && schedule.cron === null) {
    throw invalidRequest([{ path: 'timezone', message: 'counts for cron only' }]);
  }
  const isRetimed = body.cron !== undefined || body.every !== undefined;
  return {
    name: body.name ?? schedule.name,
    cron: isRetimed ? (body.cron ?? null) : schedule.cron,
    every_seconds: isRetimed ? (body.every ?? null) : schedule.every_seconds,
    timezone: body.timezone ?? schedule.timezone,
    overlap: body.overlap ?? schedule.overlap,
    missed: body.missed ?? schedule.missed,
    jitter_seconds: body.jitter_seconds ?? schedule.jitter_seconds,
    starts_at: body.starts_at === undefined ? schedule.starts_at : new Date(body.starts_at),
    ends_at: body.ends_at === undefined ? schedule.ends_at : endOf(body.ends_at),
    paused: body.paused ?? schedule.paused,
  };
}

const endOf = (given: string | null): Date | null => (given === null ? null : new Date(given));

/**
 * The first due time from `now` on; null if it is paused.
 *
 * @throws Problem 422 if nothing is due before its end
 */
export function nextOf(schedule: ScheduleFields & { id: string }, now: Date): NextDue | null {
  const { paused, starts_at, ends_at } = schedule;
  if (ends_at && ends_at <= starts_at) {
    throw invalidRequest([{ path: 'ends_at', message: 'expected a moment after starts_at' }]);
  }
  if (paused) return null;
  const next = nextDue(schedule, new Date(now.getTime() - 1));
  if (!next) throw invalidRequest([{ path: 'ends_at', message: 'nothing is due before it' }]);
  return next;
}
