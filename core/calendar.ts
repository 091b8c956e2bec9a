/**
 * Hours, days, weeks and months of a time zone, numbered, so that a range of them is counted and
 * walked by its numbers. A day of the zone has 23 or 25 hours where its clocks change.
 */
export type Interval = 'hour' | 'day' | 'week' | 'month';

export interface Calendar {
  /** The number of the interval that a moment is in. */
  indexOf(at: Date): number;
  /** The first moment of an interval. */
  startOf(index: number): Date;
}

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;

/** @param tz an IANA time zone that Intl knows */
export function calendarOf(tz: string, interval: Interval): Calendar {
  const zone = zoneOf(tz);
  switch (interval) {
    case 'hour':
      // Of the clock at UTC's hour: half an hour beside it in India.
      return {
        indexOf: (at) => Math.floor((at.getTime() + partOfHour(zone, at)) / HOUR_MS),
        startOf: (index) => {
          const at = index * HOUR_MS;
          return new Date(at - partOfHour(zone, new Date(at)));
        },
      };
    case 'day':
      return { indexOf: zone.dayOf, startOf: zone.startOfDay };
    case 'week':
      // Day 0, the first of January 1970, was a Thursday; weeks begin on Mondays (ISO 8601).
      return {
        indexOf: (at) => Math.floor((zone.dayOf(at) + 3) / 7),
        startOf: (index) => zone.startOfDay(index * 7 - 3),
      };
    case 'month':
      return {
        indexOf: (at) => {
          const day = new Date(zone.dayOf(at) * DAY_MS);
          return day.getUTCFullYear() * 12 + day.getUTCMonth();
        },
        startOf: (index) =>
          zone.startOfDay(Math.floor(Date.UTC(Math.floor(index / 12), ((index % 12) + 12) % 12) / DAY_MS)),
      };
  }
}

/** The start of a date such as `2026-01-31` in a time zone. */
export const startOfDate = (date: string, tz: string): Date =>
  zoneOf(tz).startOfDay(Math.floor(Date.parse(`${date}T00:00:00Z`) / DAY_MS));

interface Zone {
  /** What its clocks are ahead of UTC, in milliseconds. */
  offset(at: Date): number;
  /** Days since 1970 by its own calendar. */
  dayOf(at: Date): number;
  /** Its first moment, which is 1 o'clock where midnight is skipped. */
  startOfDay(day: number): Date;
}

const partOfHour = (zone: Zone, at: Date): number => ((zone.offset(at) % HOUR_MS) + HOUR_MS) % HOUR_MS;

function zoneOf(tz: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: tz, hourCycle: 'h23', calendar: 'gregory', numberingSystem: 'latn' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  const isUtc = tz === 'UTC';
  const offset = (at: Date): number => {
    if (isUtc) return 0;
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    const local = Date.UTC(year, month - 1, day, hour, minute, second);
    return local - Math.floor(at.getTime() / 1000) * 1000;
  };
  const dayOf = (at: Date) => Math.floor((at.getTime() + offset(at)) / DAY_MS);
  return {
    offset,
    dayOf,
    startOfDay: (day) => {
      const midnight = day * DAY_MS;
      // Twice, because the offset of the first guess may be that of the other side of a change.
      const guess = midnight - offset(new Date(midnight - offset(new Date(midnight))));
      if (dayOf(new Date(guess)) === day && dayOf(new Date(guess - 1)) === day - 1) return new Date(guess);
      return firstMoment(day, dayOf);
    },
  };
}

/** For a midnight that does not exist or exists twice. */
function firstMoment(day: number, dayOf: (at: Date) => number): Date {
  let before = day * DAY_MS - DAY_MS;
  let within = day * DAY_MS + DAY_MS;
  while (within - before > 1000) {
    const middle = Math.floor((before + within) / 2000) * 1000;
    if (dayOf(new Date(middle)) >= day) within = middle;
    else before = middle;
  }
  return new Date(within);
}
