import { calendarOf, type Interval, startOfDate } from '../../core/calendar.ts';
import { invalidRequest } from '../http/problem.ts';

/** Whole intervals of a time zone, `to` excluded. */
export interface Range {
  from: Date;
  to: Date;
  interval: Interval;
  tz: string;
}

/** Intervals by default and at most. */
const DEFAULT: Readonly<Record<Interval, number>> = { hour: 24, day: 30, week: 12, month: 12 };
const MOST: Readonly<Record<Interval, number>> = { hour: 31 * 24, day: 731, week: 106, month: 25 };

interface Asked {
  /** A moment, or a date of the time zone. */
  from?: Date | string | undefined;
  to?: Date | string | undefined;
  interval: Interval;
  tz: string;
}

/**
 * Rounds a query outward to whole intervals; `starts` are those of each.
 *
 * @throws Problem 422 for an empty or too long range
 */
export function rangeOf({ from, to, interval, tz }: Asked, now: Date): { range: Range; starts: Date[] } {
  const calendar = calendarOf(tz, interval);
  const momentOf = (given: Date | string) => (typeof given === 'string' ? startOfDate(given, tz) : given);
  const end = to === undefined ? new Date(now.getTime() + 1) : momentOf(to);
  const last = calendar.indexOf(new Date(end.getTime() - 1));
  const first = from === undefined ? last + 1 - DEFAULT[interval] : calendar.indexOf(momentOf(from));
  const wrong = (path: string, message: string) => invalidRequest([{ path, message }]);
  if (first > last) throw wrong('from', 'expected a moment before `to`');
  if (last - first >= MOST[interval]) {
    throw wrong('from', `expected at most ${MOST[interval]} ${interval}s`);
  }
  const starts = Array.from({ length: last - first + 1 }, (_, n) => calendar.startOf(first + n));
  return { range: { from: starts[0] as Date, to: calendar.startOf(last + 1), interval, tz }, starts };
}
