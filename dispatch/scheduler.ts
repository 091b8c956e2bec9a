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

/** The pause when nothing presses; a due job starts at most this late. */
const PAUSE_MS = 100;
/** The pause while the workers empty the window faster than it is filled. */
const BUSY_PAUSE_MS = 5;
const BATCH = 1000;
const LOST_CHECK_MS = 5000;
/** A message that is on nobody's mind for this long may be lost. */
const LONG_DISPATCHED_MS = 10_000;

/**
 * Finds what is ready and not on the queue: jobs that fell due, jobs nobody dispatched (the window was full, the broker away, the
 * accepting process killed), and jobs whose message got lost. Returns the pause until the next look.
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
    const hungry = await fillWindow();
    return due === BATCH || hungry ? BUSY_PAUSE_MS : PAUSE_MS;
  };

  /** True where the workers could soon run dry although work waits. */
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
   * An operator purged the queue, or a broker lost its disk: fewer messages wait than jobs that were put there long ago. All of
   * those are dispatched again; a second ring is harmless. While all slots are busy messages do wait for long, and then
   * there are as many as there should be.
   */
  async function forgetLost(): Promise<void> {
    const expected = await countLongDispatched(database, LONG_DISPATCHED_MS);
    if (expected === 0 || (await queue.depth(SCRAPE_JOBS)) >= expected) return;
    const jobs = await forgetLongDispatched(database, LONG_DISPATCHED_MS);
    logger.warn('messages_lost', { jobs });
  }
}
