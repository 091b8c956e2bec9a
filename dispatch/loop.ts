import { isDatabaseUnavailable } from '../db/connect.ts';
import { PublishError } from '../queue/queue.ts';
import type { Logger } from '../runtime/log/logger.ts';

/** Something done again and again until it is stopped. */
export interface Loop {
  start(): void;
  /** Resolves when the step under way has ended. */
  stop(): Promise<void>;
}

const LONGEST_BACKOFF_MS = 2000;

/**
 * Runs `step` with a pause in between: `step` answers how long in milliseconds, 0 for "there is more". A step that fails is
 * logged and tried again with back-off; a database or broker that is away is told once an outage and not every time.
 */
export function createLoop(options: { name: string; logger: Logger; step: () => Promise<number> }): Loop {
  const logger = options.logger.with({ loop: options.name });
  let stopped = false;
  let running: Promise<void> | undefined;
  let wake = () => {};

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      // Stopped while the step ran: there was nothing to wake then, and nobody will.
      if (stopped) return resolve();
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const run = async () => {
    let failures = 0;
    while (!stopped) {
      try {
        const pauseMs = await options.step();
        if (failures > 0) logger.info('loop_recovered', { failures });
        failures = 0;
        await pause(pauseMs);
      } catch (error) {
        failures += 1;
        const outage = isDatabaseUnavailable(error) || error instanceof PublishError;
        if (!outage || failures === 1) logger[outage ? 'warn' : 'error']('loop_failed', { error, failures });
        await pause(Math.min(100 * 2 ** failures, LONGEST_BACKOFF_MS));
      }
    }
  };

  return {
    start: () => {
      running ??= run();
    },
    stop: async () => {
      stopped = true;
      wake();
      await running;
    },
  };
}
