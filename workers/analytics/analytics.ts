import type { Database } from '../../db/connect.ts';
import { countEvents } from '../../db/statistics.ts';
import { createLoop } from '../../dispatch/loop.ts';
import type { Queue } from '../../queue/queue.ts';
import { LINK_CLICKS } from '../../queue/topology.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { createConsumerService } from '../consumer/consumer-service.ts';
import { CLICKS_PREFETCH, createCountClicks } from './count-clicks.ts';

export interface Analytics {
  start(): Promise<void>;
  /** Takes no more messages, and requeues clicks that are not stored within the grace period. */
  stop(): Promise<void>;
}

/** Events per transaction, and the pause after a smaller one. */
const BATCH = 1000;
const PAUSE_MS = 500;

/**
 * The write side of all statistics: clicks from the queue, job events from the ledger. The API
 * reads them.
 */
export function createAnalytics(options: {
  database: Database;
  queue: Queue;
  shutdownGraceMs: number;
  logger: Logger;
}): Analytics {
  const { database, logger } = options;
  const stopping = new AbortController();
  const consumers = createConsumerService(options);
  const loop = createLoop({
    name: 'statistics',
    logger,
    step: async () => ((await countEvents(database, BATCH)) === BATCH ? 0 : PAUSE_MS),
  });

  return {
    start: async () => {
      loop.start();
      const count = createCountClicks({ database, logger, stopping: stopping.signal });
      await consumers.start(LINK_CLICKS, { prefetch: CLICKS_PREFETCH }, count);
    },
    stop: async () => {
      await consumers.drain();
      if (!(await consumers.finish(options.shutdownGraceMs / 2))) stopping.abort();
      await consumers.finish(options.shutdownGraceMs / 2);
      await loop.stop();
    },
  };
}
