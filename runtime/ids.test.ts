import { expect, test } from '@jest/globals';
import { version } from 'uuid';
import { uuidv7 } from './ids.ts';

test('ids are UUIDs of version 7 with their time, unique and in order', () => {
  const before = Date.now();
  const ids = Array.from({ length: 20_000 }, uuidv7);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids.map(version))).toEqual(new Set([7]));
  const times = ids.map((id) => Number.parseInt(id.replace('-', '').slice(0, 12), 16));
  expect(times[0]).toBeGreaterThanOrEqual(before);
  expect(times.at(-1)).toBeLessThanOrEqual(Date.now());
});
