import { describe, expect, test } from '@jest/globals';
import { LEAST_COST_MS, type WaitingUser } from '../db/jobs/turns.ts';
import { chooseTurns, inOrder } from './turns.ts';

const user = (userId: string, fields: Partial<WaitingUser> = {}) => ({
  ...{ userId, weight: 1, limit: null, virtualMs: 0 },
  ...fields,
});
const inFlight = (dispatched: number, running = 0, runningMs = running * LEAST_COST_MS) => ({
  ...{ dispatched, running, runningMs },
});
const countOf = (order: string[]) => {
  const counts: Record<string, number> = {};
  for (const id of order) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
};

describe('whose jobs are dispatched next', () => {
  test('a user alone has all turns', () => {
    expect(chooseTurns([user('a')], new Map(), 5).order).toEqual(['a', 'a', 'a', 'a', 'a']);
  });

  test('users alternate', () => {
    expect(chooseTurns([user('a'), user('b')], new Map(), 6).order.join('')).toMatch(/^(ab|ba){3}$/);
  });

  test('weights give shares', () => {
    const users = [user('a', { weight: 3 }), user('b'), user('c', { weight: 0.5 })];
    expect(countOf(chooseTurns(users, new Map(), 90).order)).toEqual({ a: 60, b: 20, c: 10 });
  });

  test('jobs on the queue count: who has none there catches up first', () => {
    const { order } = chooseTurns([user('a'), user('b')], new Map([['a', inFlight(3)]]), 5);
    expect(order.slice(0, 3)).toEqual(['b', 'b', 'b']);
    expect(countOf(order)).toEqual({ a: 1, b: 4 });
  });

  test('a running job counts as what it took so far, not as one turn', () => {
    const crawls = new Map([['a', inFlight(0, 1, 30 * LEAST_COST_MS)]]);
    expect(countOf(chooseTurns([user('a'), user('b')], crawls, 31).order)).toEqual({ b: 31 });
  });

  test('ended runs count', () => {
    const users = [user('a', { virtualMs: 10 * LEAST_COST_MS }), user('b')];
    expect(countOf(chooseTurns(users, new Map(), 10).order)).toEqual({ b: 10 });
    expect(countOf(chooseTurns(users, new Map(), 20).order)).toEqual({ a: 5, b: 15 });
  });

  test('a user at the limit is passed over, however little they used', () => {
    const limited = user('a', { limit: 2 });
    const users = [limited, user('b', { virtualMs: 1e6 })];
    const { order, atLimit } = chooseTurns(users, new Map([['a', inFlight(1, 1)]]), 3);
    expect(order).toEqual(['b', 'b', 'b']);
    expect(atLimit).toEqual([limited]);
  });

  test('a user is not given more turns than the limit leaves', () => {
    const users = [user('a', { limit: 5 })];
    expect(chooseTurns(users, new Map([['a', inFlight(1, 2)]]), 9).order).toEqual(['a', 'a']);
  });

  test('with 10,000 users, the thousand served least have a turn each', () => {
    const users = Array.from({ length: 10_000 }, (_, at) =>
      user(`${at}`, { virtualMs: (at * 7919) % 10_000 }),
    );
    const { order } = chooseTurns(users, new Map(), 90);
    expect(order).toHaveLength(90);
    expect(order).toEqual(
      [...users]
        .sort((a, b) => a.virtualMs - b.virtualMs)
        .slice(0, 90)
        .map(({ userId }) => userId),
    );
  });
});

describe('where a user starts who begins to wait', () => {
  test('is where the least served is, with what runs and without what is on the queue', () => {
    const users = [user('a', { virtualMs: 1000 }), user('b', { virtualMs: 5000 })];
    expect(chooseTurns(users, new Map([['a', inFlight(7, 1, 300)]]), 0).clockMs).toBe(1300);
  });

  test('does not depend on users at their limit', () => {
    const users = [user('a', { limit: 1 }), user('b', { virtualMs: 5000 })];
    expect(chooseTurns(users, new Map([['a', inFlight(0, 1)]]), 0).clockMs).toBe(5000);
    expect(chooseTurns([user('a', { limit: 1 })], new Map([['a', inFlight(0, 1)]]), 0).clockMs).toBeNull();
  });
});

test('jobs are put into the order of turns, as far as a user has any', () => {
  const jobs = [
    { userId: 'a', id: 1 },
    { userId: 'b', id: 2 },
    { userId: 'a', id: 3 },
  ];
  expect(inOrder(['a', 'b', 'b', 'a'], jobs).map(({ id }) => id)).toEqual([1, 2, 3]);
});
