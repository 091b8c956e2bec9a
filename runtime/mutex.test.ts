import { createMutex } from './mutex.ts';

test('work runs one at a time, in order, and a failure does not stop the next', async () => {
  const mutex = createMutex();
  const log: string[] = [];
  const work = (name: string, fails = false) =>
    mutex(async () => {
      log.push(`${name} begins`);
      await new Promise(setImmediate);
      log.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([work('a'), work('b', true), work('c')]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(log).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});
