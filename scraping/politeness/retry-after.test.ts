import { retryAfterMs } from './retry-after.ts';

const date = 'Sat, 01 Aug 2026 10:00:00 GMT';

test('a pause is given in seconds, or as a date by the clock of the server', () => {
  expect(retryAfterMs(429, { 'retry-after': '120' })).toBe(120_000);
  expect(retryAfterMs(503, { 'retry-after': 'Sat, 01 Aug 2026 10:00:30 GMT', date })).toBe(30_000);
  expect(retryAfterMs(503, { 'retry-after': 'Sat, 01 Aug 2026 09:00:00 GMT', date })).toBe(0);
});

test('the longest of several pauses counts, however they are joined', () => {
  expect(retryAfterMs(429, { 'retry-after': '60, 120' })).toBe(120_000);
  expect(retryAfterMs(429, { 'retry-after': '120\n60\nsoon' })).toBe(120_000);
  expect(retryAfterMs(503, { 'retry-after': `5, ${date.replace(':00 ', ':30 ')}`, date })).toBe(30_000);
  expect(retryAfterMs(503, { 'retry-after': date.replace(':00 ', ':30 '), date: `${date}, ${date}` })).toBe(
    30_000,
  );
  expect(retryAfterMs(429, { 'retry-after': '1,'.repeat(200_000) })).toBe(1000);
  expect(retryAfterMs(429, { 'retry-after': '\n'.repeat(200_000) })).toBeNull();
});

test('a pause is limited to an hour', () => {
  expect(retryAfterMs(429, { 'retry-after': '99999999' })).toBe(3_600_000);
});

test('other responses request no pause', () => {
  expect(retryAfterMs(200, { 'retry-after': '120' })).toBeNull();
  expect(retryAfterMs(429, {})).toBeNull();
  expect(retryAfterMs(429, { 'retry-after': 'soon', date })).toBeNull();
  expect(retryAfterMs(429, { 'retry-after': 'Sat, 01 Aug 2026 10:00:30 GMT' })).toBeNull();
});
