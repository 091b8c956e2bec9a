import { Cron } from 'croner';
import { LRUCache } from 'lru-cache';

/** When a schedule is due: by a cron pattern, or every so many seconds. */
export interface Timing {
  /** Five fields or a name such as `@daily`; null: `every_seconds` counts. */
  cron: string | null;
  every_seconds: number | null;
  /** IANA name, for `cron`. */
  timezone: string;
  /** Where counting by `every_seconds` begins; nothing is due before. */
  starts_at: Date;
  /** Nothing is due after; null: no end. */
  ends_at: Date | null;
}

/** The first due time after a moment; null if there is none. */
export function nextDueTime(timing: Timing, after: Date): Date | null {
  const next = timing.cron === null ? nextInterval(timing, after) : nextByCron(timing, timing.cron, after);
  return next && timing.ends_at && next > timing.ends_at ? null : next;
}

/** Up to `count` due times after a moment. */
export function nextDueTimes(timing: Timing, after: Date, count: number): Date[] {
  const times: Date[] = [];
  for (let next = nextDueTime(timing, after); next; next = nextDueTime(timing, next)) {
    times.push(next);
    if (times.length === count) break;
  }
  return times;
}

/**
 * The last due time that is not after `now`. Of a time that is long past it is found at once, not
 * by counting up.
 *
 * @param known a due time that is not after `now`
 */
export function lastDueTime(timing: Timing, known: Date, now: Date): Date {
  const until = timing.ends_at && timing.ends_at < now ? timing.ends_at : now;
  const last =
    timing.cron === null
      ? intervalAt(timing, Math.floor(intervalsSince(timing, until)))
      : // Exclusive, and exact to the second.
        cronOf(timing.cron, timing.timezone).previousRuns(1, new Date(until.getTime() + 1000))[0];
  return last && last > known && last <= until ? last : known;
}

function nextInterval(timing: Timing, after: Date): Date {
  return after < timing.starts_at
    ? timing.starts_at
    : intervalAt(timing, Math.floor(intervalsSince(timing, after)) + 1);
}

const intervalsSince = ({ starts_at, every_seconds }: Timing, moment: Date): number =>
  (moment.getTime() - starts_at.getTime()) / ((every_seconds ?? 0) * 1000);

const intervalAt = ({ starts_at, every_seconds }: Timing, count: number): Date =>
  new Date(starts_at.getTime() + count * (every_seconds ?? 0) * 1000);

function nextByCron({ timezone, starts_at }: Timing, cron: string, after: Date): Date | null {
  // The library gives times after a moment: one before the start, so that the start itself counts.
  const from = after < starts_at ? new Date(starts_at.getTime() - 1) : after;
  // Due times are whole minutes, so all moments of a minute have the same next one.
  const minute = new Date(Math.floor(from.getTime() / 60_000) * 60_000);
  const key = `${minute.getTime()} ${timezone} ${cron}`;
  const known = nextTimes.get(key);
  if (known) return known.at;
  const at = cronOf(cron, timezone).nextRun(minute);
  nextTimes.set(key, { at });
  return at;
}

/**
 * Computing a time takes 0.4 ms, and schedules that are due together often have the same pattern.
 */
const nextTimes = new LRUCache<string, { at: Date | null }>({ max: 10_000 });

/**
 * Where a clock change skips a due time, it is due at the end of the gap; where one repeats an hour,
 * a time of the day is due once, and `*` and steps in both.
 *
 * @throws Error of `croner` for a pattern that is none
 */
const cronOf = (cron: string, timezone: string): Cron =>
  new Cron(cron, { timezone, mode: '5-part', paused: true });

/** What is wrong with a pattern, in words; null if nothing. */
export function cronProblem(cron: string): string | null {
  const fields = cron.split(/\s+/).length;
  if (!cron.startsWith('@') && fields !== 5) {
    return `expected five fields (minute, hour, day of month, month, day of week) or a name such as @daily, got ${fields} fields`;
  }
  if (cron.startsWith('@') && !NAMES.includes(cron.toLowerCase()))
    return `expected one of ${NAMES.join(', ')}`;
  try {
    if (cronOf(cron, 'UTC').nextRun(new Date()) === null) return 'this is never due: there is no such day';
    return null;
  } catch (error) {
    const message = (error as Error).message.replace(/^CronPattern: /, '');
    return `not a cron pattern: ${message}`;
  }
}

const NAMES = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
