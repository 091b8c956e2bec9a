import { silentLogger } from '../runtime/log/logger.ts';
import { createLoop } from './loop.ts';

test('a loop stopped during a step does not begin the pause after it', async () => {
  let steps = 0;
  let finish = () => {};
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const loop = createLoop({
    name: 'test',
    logger: silentLogger,
    step: async () => {
      steps += 1;
      begin();
      await new Promise<void>((done) => {
        finish = done;
      });
      return 3_600_000;
    },
  });
  loop.start();
  await begun;
  const stopped = loop.stop();
  finish();
  await expect(stopped).resolves.toBeUndefined();
  expect(steps).toBe(1);
});
