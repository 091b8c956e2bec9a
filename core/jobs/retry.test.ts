import { backoffMs } from './retry.ts';

const policy = { baseMs: 1000, capMs: 60_000 };

test('the back-off doubles with each attempt', () => {
  expect([1, 2, 3].map((attempt) => backoffMs(attempt, policy, 0))).toEqual([500, 1000, 2000]);
});

test('half of the back-off is random', () => {
  expect(backoffMs(3, policy, 0)).toBe(2000);
  expect(backoffMs(3, policy, 0.999)).toBeGreaterThan(3990);
  expect(backoffMs(3, policy, 0.999)).toBeLessThanOrEqual(4000);
});

test('the back-off never exceeds its cap, at any number of attempts', () => {
  expect(backoffMs(20, policy, 1)).toBe(60_000);
  expect(backoffMs(5000, policy, 1)).toBe(60_000);
});
