import type { Database } from '../db/connect.ts';
import {
  countLongDispatched,
  forgetLongDispatched,
  listWaiting,
  markDispatched,
  queueDueJobs,
  readWindow,
} from '../db/jobs/dispatch.ts';
import type { Queue } from '../queue/queue.ts';
import { SCRAPE_JOBS } from '../queue/topology.ts';
import type { Logger } from '../runtime/log/logger.ts';
import { scrapeMessage } from './message.ts';
import { chooseForWindow, countAtLeast, type SizeOf, windowSize } from './window.ts';

/** Default pause; a due job starts at most this late. */
const PAUSE_MS = 100;
/** Pause while the workers empty the window faster than it is filled. */
const BUSY_PAUSE_MS = 5;
const BATCH = 1000;
const LOST_CHECK_MS = 5000;
/** A message dispatched this long ago and not claimed may be lost. */
const LONG_DISPATCHED_MS = 10_000;

/**
 * Enqueues jobs that are ready and not on the queue: due jobs, jobs that were not dispatched (the
 * window was full, the broker away, the accepting process killed), and jobs whose message was lost.
 * The step returns the pause until the next one in ms.
 */
export function createScheduler({
  database,
  queue,
  logger,
  sizeOf = windowSize,
}: {
  database: Database;
  queue: Queue;
  logger: Logger;
  sizeOf?: SizeOf | undefined;
}): () => Promise<number> {
  let lostCheckedAt = 0;

  return async () => {
    const due = await queueDueJobs(database, BATCH);
    if (!queue.health().healthy) return PAUSE_MS;
    if (Date.now() - lostCheckedAt >= LOST_CHECK_MS) {
      lostCheckedAt = Date.now();
      await forgetLost();
    }
    const isLow = await fillWindow();
    return due === BATCH || isLow ? BUSY_PAUSE_MS : PAUSE_MS;
  };

  /** True if the workers may soon be idle although jobs wait. */
  async function fillWindow(): Promise<boolean> {
    const window = await readWindow(database);
    if (window.nextPriority === null) return false;
    const size = sizeOf(window);
    const inFront = countAtLeast(window.dispatched, window.nextPriority);
    const waiting = await listWaiting(database, Math.min(Math.max(size - inFront, 1), BATCH));
    const chosen = chooseForWindow(waiting, window.dispatched, size);
    if (chosen.length === 0) return false;
    await queue.publish(chosen.map(scrapeMessage));
    await markDispatched(database, chosen);
    logger.debug('jobs_dispatched', { jobs: chosen.length, window: size, in_front: inFront });
    return inFront < size / 2;
  }

  /**
   * If an operator purged the queue or a broker lost its disk, fewer messages wait than jobs were
   * dispatched long ago. All of those are dispatched again; a second wake-up message is harmless.
   * While all slots are busy, messages wait long too, but then none is missing.
   */
  async function forgetLost(): Promise<void> {
    const expected = await countLongDispatched(database, LONG_DISPATCHED_MS);
    if (expected === 0 || (await queue.depth(SCRAPE_JOBS)) >= expected) return;
    const jobs = await forgetLongDispatched(database, LONG_DISPATCHED_MS);
    logger.warn('messages_lost', { jobs });
  }
}
