import { createBatcher } from './batch.ts';

test('calls of one tick share a run, and each gets its own result', async () => {
  const runs: number[][] = [];
  const double = createBatcher(
    async (items: number[]) => {
      runs.push(items);
      return items.map((item) => item * 2);
    },
    { maxItems: 10, maxRuns: 1 },
  );
  expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6]);
  expect(runs).toEqual([[1, 2, 3]]);
});

test('calls that arrive during a run wait for the next one', async () => {
  const runs: number[][] = [];
  let finish = () => {};
  const echo = createBatcher(
    async (items: number[]) => {
      runs.push(items);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return items;
    },
    { maxItems: 2, maxRuns: 1 },
  );
  const first = echo(1);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  const later = [2, 3, 4].map(echo);
  for (const expected of [1, 2, 3]) {
    while (runs.length < expected) await new Promise(setImmediate);
    finish();
  }
  expect(await Promise.all([first, ...later])).toEqual([1, 2, 3, 4]);
  expect(runs).toEqual([[1], [2, 3], [4]]);
});

test('a run that fails rejects its own calls and no others', async () => {
  const run = createBatcher(
    async (items: string[]) => {
      if (items.includes('bad')) throw new Error('no');
      return items;
    },
    { maxItems: 1, maxRuns: 1 },
  );
  const results = await Promise.allSettled([run('good'), run('bad'), run('good')]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
