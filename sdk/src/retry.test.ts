import { describe, expect, test } from '@jest/globals';
import { DEFAULT_RETRY, parseRetryAfter, type RetryPolicy, retryDelay } from './retry.ts';

const policy: RetryPolicy = { retries: 3, baseMs: 100, capMs: 1000 };
const answer = (status: number, retryAfterMs: number | null = null) =>
  ({ kind: 'answer', status, retryAfterMs }) as const;

describe('a request is sent again', () => {
  test.each([429, 503])('after %i, which did nothing, whatever it was', (status) => {
    expect(retryDelay(answer(status), 0, policy, false, 1)).toBe(100);
  });

  test('if no answer came and a repetition does no harm', () => {
    expect(retryDelay({ kind: 'connection' }, 0, policy, true, 1)).toBe(100);
    expect(retryDelay({ kind: 'connection' }, 0, policy, false, 1)).toBeNull();
    expect(retryDelay(answer(502), 0, policy, false, 1)).toBeNull();
  });

  test('after twice as long each time, jittered, up to a limit, and not for ever', () => {
    const delays = [0, 1, 2, 3].map((repeats) =>
      retryDelay({ kind: 'connection' }, repeats, policy, true, 0),
    );
    expect(delays).toEqual([50, 100, 200, null]);
    expect(retryDelay({ kind: 'connection' }, 9, { ...policy, retries: 10 }, true, 1)).toBe(1000);
  });

  test('when the server says, unless that is too long to wait for', () => {
    expect(retryDelay(answer(429, 700), 0, policy, true, 0)).toBe(700);
    expect(retryDelay(answer(429, 1001), 0, policy, true, 0)).toBeNull();
  });

  test.each([400, 401, 404, 409, 422, 500])('never after %i', (status) => {
    expect(retryDelay(answer(status), 0, DEFAULT_RETRY, true, 0)).toBeNull();
  });
});

test.each([
  [null, null],
  ['2', 2000],
  ['0', 0],
  ['Thu, 01 Jan 1970 00:00:30 GMT', 20_000],
  ['Thu, 01 Jan 1970 00:00:05 GMT', 0],
  ['soon', null],
])('Retry-After: %s is %s ms', (header, ms) => {
  expect(parseRetryAfter(header, 10_000)).toBe(ms);
});
