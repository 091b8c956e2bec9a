import type { Database } from '../../db/connect.ts';
import { deadLetterMessage } from '../../db/events/dead-letters.ts';
import { countEvents } from '../../db/statistics.ts';
import { createLoop } from '../../dispatch/loop.ts';
import type { Consumer, Queue } from '../../queue/queue.ts';
import { LINK_CLICKS } from '../../queue/topology.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { withinTime } from '../../runtime/timeout.ts';
import { CLICKS_PREFETCH, createCountClicks } from './count-clicks.ts';

export interface Analytics {
  start(): Promise<void>;
  /** Takes nothing more, and gives back what is not stored within the grace. */
  stop(): Promise<void>;
}

/** Events of one transaction, and how long to wait where there were fewer. */
const BATCH = 1000;
const PAUSE_MS = 500;

/** The write side of all statistics: clicks from the queue, events of jobs from the ledger. The API only reads what it wrote. */
export function createAnalytics(options: {
  database: Database;
  queue: Queue;
  shutdownGraceMs: number;
  logger: Logger;
}): Analytics {
  const { database, queue, logger } = options;
  const stopping = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  const loop = createLoop({
    name: 'statistics',
    logger,
    step: async () => ((await countEvents(database, BATCH)) === BATCH ? 0 : PAUSE_MS),
  });
  let consumer: Consumer | undefined;

  return {
    start: async () => {
      loop.start();
      const count = createCountClicks({ database, logger, stopping: stopping.signal });
      consumer = await queue.consume(
        LINK_CLICKS,
        { prefetch: CLICKS_PREFETCH, onUnreadable: (message) => deadLetterMessage(database, message) },
        (delivery) => {
          const work = count(delivery).finally(() => underWay.delete(work));
          underWay.add(work);
          return work;
        },
      );
    },
    stop: async () => {
      await consumer?.stop();
      const settled = Promise.allSettled(underWay);
      const late = () => new Error('late');
      await withinTime(settled, options.shutdownGraceMs / 2, late).catch(() => stopping.abort());
      await withinTime(settled, options.shutdownGraceMs / 2, late).catch(() => {});
      await loop.stop();
    },
  };
}
