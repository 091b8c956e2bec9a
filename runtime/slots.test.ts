import { expect, test } from '@jest/globals';
import { Slots } from './slots.ts';

test('slots are given in order, and one that is aborted meanwhile goes to the next', async () => {
  const slots = new Slots(1);
  const never = new AbortController().signal;
  const aborted = new AbortController();
  const taken: string[] = [];
  await slots.acquire(never);
  const gone = slots.acquire(aborted.signal);
  const last = slots.acquire(never).then(() => taken.push('last'));
  aborted.abort(new Error('the job is over'));
  expect(taken).toEqual([]);
  slots.release();
  await expect(gone).rejects.toThrow('the job is over');
  await last;
  slots.release();
  await slots.acquire(never);
});
