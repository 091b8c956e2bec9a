import { isDatabaseUnavailable } from '../db/connect.ts';
import { PublishError } from '../queue/queue.ts';
import type { Logger } from '../runtime/log/logger.ts';

/** A step repeated until it is stopped. */
export interface Loop {
  start(): void;
  /** Resolves when the step under way has ended. */
  stop(): Promise<void>;
}

const LONGEST_BACKOFF_MS = 2000;

/**
 * Repeats `step` with a pause: `step` returns its length in ms, 0 for "there is more". A step that
 * fails is logged and retried with back-off; an unavailable database or broker is logged once per
 * outage.
 */
export function createLoop(options: { name: string; logger: Logger; step: () => Promise<number> }): Loop {
  const logger = options.logger.with({ loop: options.name });
  let stopped = false;
  let running: Promise<void> | undefined;
  let wake = () => {};

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      // Stopped while the step ran: `stop` had no pause to end, and is not called again.
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
