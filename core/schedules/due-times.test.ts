import { describe, expect, test } from '@jest/globals';
import { cronProblem, lastDueTime, nextDueTime, nextDueTimes, type Timing } from './due-times.ts';

const timing = (changes: Partial<Timing>): Timing => ({
  cron: null,
  every_seconds: null,
  timezone: 'UTC',
  starts_at: new Date('2026-01-01T00:00:00Z'),
  ends_at: null,
  ...changes,
});
const times = (changes: Partial<Timing>, after: string, count = 3) =>
  nextDueTimes(timing(changes), new Date(after), count).map((time) => time.toISOString());

describe('by cron', () => {
  test('a time that summer time skips is due at the end of the gap', () => {
    expect(times({ cron: '30 2 * * *', timezone: 'Europe/Berlin' }, '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  test('a time of the day that winter time repeats is due once, each half hour in both hours', () => {
    expect(times({ cron: '30 2 * * *', timezone: 'Europe/Berlin' }, '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
    expect(times({ cron: '*/30 * * * *', timezone: 'Europe/Berlin' }, '2026-10-25T00:10:00Z', 3)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:00:00.000Z',
      '2026-10-25T01:30:00.000Z',
    ]);
  });

  test('names, lists and steps count', () => {
    expect(times({ cron: '0 9 * JAN MON-FRI' }, '2026-12-01T00:00:00Z', 2)).toEqual([
      '2027-01-01T09:00:00.000Z',
      '2027-01-04T09:00:00.000Z',
    ]);
    expect(times({ cron: '@daily' }, '2026-12-01T00:00:00Z', 1)).toEqual(['2026-12-02T00:00:00.000Z']);
  });

  test('a due time itself is not after itself, but one at the start counts', () => {
    expect(times({ cron: '* * * * *' }, '2026-02-01T00:00:00Z', 1)).toEqual(['2026-02-01T00:01:00.000Z']);
    expect(times({ cron: '0 0 1 1 *' }, '2025-06-01T00:00:00Z', 1)).toEqual(['2026-01-01T00:00:00.000Z']);
  });

  test.each([
    ['* * * *', 'got 4 fields'],
    ['* * * * * *', 'got 6 fields'],
    ['@reboot', 'expected one of @yearly'],
    ['@every 5m', 'expected one of @yearly'],
    ['60 * * * *', 'minute'],
    ['0 0 30 2 *', 'never due'],
    ['a b c d e', 'not a cron pattern'],
    ['5-1 * * * *', 'not a cron pattern'],
    ['*/0 * * * *', 'not a cron pattern'],
  ])('%s is refused: %s', (cron, words) => {
    expect(cronProblem(cron)).toContain(words);
  });

  test.each(['*/5 * * * *', '0 0 29 2 *', '0 0 L * *', '15 10 * * SUN', '@hourly'])('%s is one', (cron) => {
    expect(cronProblem(cron)).toBeNull();
  });
});

describe('by interval', () => {
  test('times keep their distance to the start', () => {
    expect(times({ every_seconds: 900 }, '2026-01-01T00:20:00Z', 2)).toEqual([
      '2026-01-01T00:30:00.000Z',
      '2026-01-01T00:45:00.000Z',
    ]);
  });

  test('the first is the start', () => {
    expect(times({ every_seconds: 900 }, '2025-12-31T00:00:00Z', 2)).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T00:15:00.000Z',
    ]);
  });
});

test('nothing is due after the end', () => {
  const ends_at = new Date('2026-01-01T00:30:00Z');
  expect(times({ every_seconds: 900, ends_at }, '2026-01-01T00:10:00Z')).toEqual([
    '2026-01-01T00:15:00.000Z',
    '2026-01-01T00:30:00.000Z',
  ]);
  expect(nextDueTime(timing({ cron: '0 0 * * *', ends_at }), new Date('2026-01-01T00:10:00Z'))).toBeNull();
});

describe('the last due time up to now', () => {
  const last = (changes: Partial<Timing>, known: string, now: string) =>
    lastDueTime(timing(changes), new Date(known), new Date(now)).toISOString();

  test.each<[string, Partial<Timing>]>([
    ['by cron', { cron: '0 * * * *' }],
    ['by interval', { every_seconds: 3600 }],
  ])('%s: after a day away, it is the latest', (_name, changes) => {
    expect(last(changes, '2026-02-01T09:00:00Z', '2026-02-02T10:20:00Z')).toBe('2026-02-02T10:00:00.000Z');
    expect(last(changes, '2026-02-01T09:00:00Z', '2026-02-01T09:00:00Z')).toBe('2026-02-01T09:00:00.000Z');
    expect(last(changes, '2026-02-01T09:00:00Z', '2026-02-01T10:00:00Z')).toBe('2026-02-01T10:00:00.000Z');
    expect(last(changes, '2026-02-01T09:00:00Z', '2026-02-01T09:59:59.999Z')).toBe(
      '2026-02-01T09:00:00.000Z',
    );
  });

  test('is never after the end', () => {
    const ends_at = new Date('2026-02-01T12:30:00Z');
    expect(last({ cron: '0 * * * *', ends_at }, '2026-02-01T09:00:00Z', '2026-02-05T00:00:00Z')).toBe(
      '2026-02-01T12:00:00.000Z',
    );
  });
});
