import { expect, test } from '@jest/globals';
import { rangeOf } from './statistics-range.ts';

const now = new Date('2026-01-31T12:34:56Z');
const at = (text: string) => new Date(text);
const range = (query: Parameters<typeof rangeOf>[0]) => {
  const { from, to } = rangeOf(query, now);
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
  expect(() => rangeOf(query, now)).toThrow();
});
