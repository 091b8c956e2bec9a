import { calendarOf, type Interval, startOfDate } from './calendar.ts';

const at = (text: string) => new Date(text);
/** The starts of the intervals from the one of `from` to the one before `to`, and the length of each in hours. */
function intervals(tz: string, interval: Interval, from: string, to: string) {
  const { indexOf, startOf } = calendarOf(tz, interval);
  const [first, last] = [indexOf(at(from)), indexOf(at(to))];
  return Array.from({ length: last - first }, (_, n) => {
    const start = startOf(first + n);
    return [
      start.toISOString().slice(0, 16),
      (startOf(first + n + 1).getTime() - start.getTime()) / 3600_000,
    ];
  });
}

test.each<[string, Interval, string, string, [string, number][]]>([
  [
    'UTC',
    'day',
    '2026-01-31T12:00Z',
    '2026-02-02T00:00Z',
    [
      ['2026-01-31T00:00', 24],
      ['2026-02-01T00:00', 24],
    ],
  ],
  [
    'Europe/Berlin',
    'day',
    '2026-03-28T12:00Z',
    '2026-03-30T12:00Z',
    [
      ['2026-03-27T23:00', 24],
      ['2026-03-28T23:00', 23],
    ],
  ],
  [
    'Europe/Berlin',
    'day',
    '2026-10-24T12:00Z',
    '2026-10-26T12:00Z',
    [
      ['2026-10-23T22:00', 24],
      ['2026-10-24T22:00', 25],
    ],
  ],
  // Its clocks change at midnight: the day begins at one o'clock, and is an hour short.
  [
    'Africa/Cairo',
    'day',
    '2026-04-23T12:00Z',
    '2026-04-25T12:00Z',
    [
      ['2026-04-22T22:00', 24],
      ['2026-04-23T22:00', 23],
    ],
  ],
  ['Asia/Kolkata', 'hour', '2026-01-31T18:40Z', '2026-01-31T20:00Z', [['2026-01-31T18:30', 1]]],
  ['Asia/Kathmandu', 'day', '2026-01-31T12:00Z', '2026-02-01T12:00Z', [['2026-01-30T18:15', 24]]],
  ['America/New_York', 'week', '2026-03-08T20:00Z', '2026-03-10T00:00Z', [['2026-03-02T05:00', 167]]],
  ['UTC', 'week', '2026-01-01T00:00Z', '2026-01-05T00:00Z', [['2025-12-29T00:00', 168]]],
  [
    'Pacific/Auckland',
    'month',
    '2025-12-31T12:00Z',
    '2026-02-01T12:00Z',
    [
      ['2025-12-31T11:00', 744],
      ['2026-01-31T11:00', 672],
    ].slice(0, 1) as [string, number][],
  ],
  ['Europe/London', 'month', '2026-03-15T00:00Z', '2026-04-15T00:00Z', [['2026-03-01T00:00', 743]]],
  [
    'Europe/Berlin',
    'hour',
    '2026-03-29T00:30Z',
    '2026-03-29T02:30Z',
    [
      ['2026-03-29T00:00', 1],
      ['2026-03-29T01:00', 1],
    ],
  ],
])('in %s a %s', (tz, interval, from, to, expected) => {
  expect(intervals(tz, interval, from, to)).toEqual(expected);
});

test.each([
  'UTC',
  'Europe/Berlin',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Asia/Beirut',
  'Pacific/Apia',
])('in %s days follow each other, and each begins on its date', (tz) => {
  const { indexOf, startOf } = calendarOf(tz, 'day');
  const first = indexOf(at('2011-01-01T12:00Z'));
  for (let day = first; day < first + 800; day += 1) {
    const start = startOf(day);
    expect(startOf(day + 1).getTime()).toBeGreaterThanOrEqual(start.getTime());
    expect(indexOf(new Date(start.getTime() - 1))).toBeLessThan(day);
  }
});

test('a date begins in its time zone', () => {
  expect(startOfDate('2026-07-01', 'America/New_York').toISOString()).toBe('2026-07-01T04:00:00.000Z');
});
