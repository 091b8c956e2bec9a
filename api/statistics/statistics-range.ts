import { invalidRequest } from '../http/problem.ts';

/** Whole hours or days in UTC, `to` excluded. */
export interface Range {
  from: Date;
  to: Date;
  interval: 'hour' | 'day';
}

const LENGTH_MS = { hour: 3600_000, day: 24 * 3600_000 };
/** Intervals by default and at most. */
const DEFAULT = { hour: 24, day: 30 };
const MOST = { hour: 31 * 24, day: 731 };

/** Rounds a query outward to whole intervals. @throws Problem 422 for an empty or too long range */
export function rangeOf(
  query: { from?: Date | undefined; to?: Date | undefined; interval: 'hour' | 'day' },
  now: Date,
): Range {
  const { interval } = query;
  const length = LENGTH_MS[interval];
  const to = Math.ceil((query.to ?? new Date(now.getTime() + 1)).getTime() / length) * length;
  const from =
    query.from === undefined
      ? to - DEFAULT[interval] * length
      : Math.floor(query.from.getTime() / length) * length;
  const wrong = (path: string, message: string) => invalidRequest([{ path, message }]);
  if (from >= to) throw wrong('from', 'expected a moment before `to`');
  if (to - from > MOST[interval] * length) {
    throw wrong('from', `expected at most ${MOST[interval]} ${interval}s`);
  }
  return { from: new Date(from), to: new Date(to), interval };
}
