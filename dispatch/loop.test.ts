import { silentLogger } from '../runtime/log/logger.ts';
import { createLoop } from './loop.ts';

test('a loop stopped during a step does not begin the pause after it', async () => {
  let finish = () => {};
  const begun = new Promise<void>((resolve) => {
    const loop = createLoop({
      name: 'test',
      logger: silentLogger,
      step: async () => {
        resolve();
        await new Promise<void>((done) => {
          finish = done;
        });
        return 3_600_000;
      },
    });
    stop = () => loop.stop();
    loop.start();
  });
  await begun;
  const stopped = stop();
  finish();
  await stopped;
});

let stop: () => Promise<void> = async () => {};
