import { expect, test } from '@jest/globals';
import { rangeOf } from './statistics-range.ts';

const now = new Date('2026-01-31T12:34:56Z');
const at = (text: string) => new Date(text);
type Asked = Omit<Parameters<typeof rangeOf>[0], 'tz'> & { tz?: string };
const range = (query: Asked) => {
  const { from, to } = rangeOf({ tz: 'UTC', ...query }, now).range;
  return [from.toISOString(), to.toISOString()];
};

test('the default is the last thirty days, today included', () => {
  expect(range({ interval: 'day' })).toEqual(['2026-01-02T00:00:00.000Z', '2026-02-01T00:00:00.000Z']);
});

test('the default by hour is the last 24 hours, the current one included', () => {
  expect(range({ interval: 'hour' })).toEqual(['2026-01-30T13:00:00.000Z', '2026-01-31T13:00:00.000Z']);
});

test('a range is rounded outward to whole hours', () => {
  expect(
    range({ interval: 'hour', from: at('2026-01-31T01:30:00Z'), to: at('2026-01-31T03:00:00Z') }),
  ).toEqual(['2026-01-31T01:00:00.000Z', '2026-01-31T03:00:00.000Z']);
});

test.each([
  [{ interval: 'day', from: at('2026-02-01T00:00:00Z') }],
  [{ interval: 'hour', from: at('2025-01-01T00:00:00Z') }],
  [{ interval: 'day', from: at('2020-01-01T00:00:00Z') }],
] as const)('an empty or too long range is refused: %j', (query) => {
  expect(() => range(query)).toThrow();
});

test('days of a time zone begin at its midnight, dates are its own, and each has its start', () => {
  const query = { interval: 'day', tz: 'Europe/Berlin', from: '2026-03-28', to: '2026-03-31' } as const;
  const { range: found, starts } = rangeOf(query, now);
  expect(found.to.toISOString()).toBe('2026-03-30T22:00:00.000Z');
  expect(starts.map((start) => start.toISOString())).toEqual([
    '2026-03-27T23:00:00.000Z',
    '2026-03-28T23:00:00.000Z',
    '2026-03-29T22:00:00.000Z',
  ]);
});

test.each([
  ['week', '2025-11-10T00:00:00.000Z', '2026-02-02T00:00:00.000Z'],
  ['month', '2025-02-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'],
] as const)('the default by %s is the last twelve', (interval, from, to) => {
  expect(range({ interval })).toEqual([from, to]);
});
