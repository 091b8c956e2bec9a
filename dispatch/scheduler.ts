import type { Database } from '../db/connect.ts';
import {
  countLongDispatched,
  forgetLongDispatched,
  listWaiting,
  markDispatched,
  queueDueJobs,
} from '../db/jobs/dispatch.ts';
import {
  applyTurnChanges,
  findForgottenTurns,
  leaveTurns,
  pruneTurns,
  raiseTurns,
  readWindow,
} from '../db/jobs/turns.ts';
import type { Queue } from '../queue/queue.ts';
import { SCRAPE_JOBS } from '../queue/topology.ts';
import type { Logger } from '../runtime/log/logger.ts';
import { scrapeMessage } from './message.ts';
import { chooseTurns, inOrder, type Turns } from './turns.ts';
import { roomIn, type SizeOf, windowSize } from './window.ts';

/** Default pause; a due job starts at most this late. */
const PAUSE_MS = 100;
/** Pause while the workers empty the window faster than it is filled. */
const BUSY_PAUSE_MS = 5;
/** Pause while jobs wait only for other jobs of their user to end. */
const LIMITED_PAUSE_MS = 20;
const BATCH = 1000;
/** How far a user at their limit may fall behind; smaller would be more writes. */
const CREDIT_MS = 1000;
/** Turns given by one step at most, to begin with. */
const FEW_TURNS = 64;
const LOST_CHECK_MS = 5000;
/** A message dispatched this long ago and not claimed may be lost. */
const LONG_DISPATCHED_MS = 10_000;

/**
 * Enqueues jobs that are ready and not on the queue, in the order of users' turns: due jobs, jobs
 * that were not dispatched (the window was full, the broker away, the accepting process killed), and
 * jobs whose message was lost. The step returns the pause until the next one in ms.
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
  /** As of the last step. */
  let clockMs: Turns['clockMs'] = null;
  let mostTurns = FEW_TURNS;

  return async () => {
    const due = await queueDueJobs(database, BATCH);
    if (!queue.health().healthy) return PAUSE_MS;
    if (Date.now() - lostCheckedAt >= LOST_CHECK_MS) {
      lostCheckedAt = Date.now();
      await forgetLost();
      await findForgottenTurns(database);
      await pruneTurns(database, BATCH);
    }
    await applyTurnChanges(database, clockMs);
    const pause = await fillWindow();
    return due === BATCH ? BUSY_PAUSE_MS : pause;
  };

  async function fillWindow(): Promise<number> {
    const window = await readWindow(database, mostTurns);
    const { size, room } = roomIn(window, sizeOf);
    const turns = chooseTurns(window.waiting, window.inFlight, Math.min(room, mostTurns));
    clockMs = turns.clockMs;
    await keepUp(turns);
    const enqueued = await enqueue(turns.order);
    if (enqueued > 0) logger.debug('jobs_dispatched', { jobs: enqueued, window: size, room });
    const isCut = turns.order.length === mostTurns;
    mostTurns = Math.min(BATCH, Math.max(FEW_TURNS, 2 * turns.order.length));
    // The workers may soon be idle although jobs wait.
    if (enqueued > 0 && (isCut || room > size / 2)) return BUSY_PAUSE_MS;
    return room > 0 && turns.atLimit.length > 0 ? LIMITED_PAUSE_MS : PAUSE_MS;
  }

  /** Puts a job per turn on the queue; returns how many there were. */
  async function enqueue(order: Turns['order']): Promise<number> {
    const counts = new Map<string, number>();
    for (const userId of order) counts.set(userId, (counts.get(userId) ?? 0) + 1);
    if (counts.size === 0) return 0;
    const jobs = inOrder(order, await listWaiting(database, counts));
    if (jobs.length > 0) {
      await queue.publish(jobs.map(scrapeMessage));
      await markDispatched(database, jobs);
    }
    for (const { userId } of jobs) counts.set(userId, (counts.get(userId) ?? 0) - 1);
    const exhausted = [...counts].flatMap(([userId, left]) => (left > 0 ? [userId] : []));
    if (exhausted.length > 0) await leaveTurns(database, exhausted);
    return jobs.length;
  }

  /** Users at their limit fall behind the others as if they were idle; that is no credit. */
  async function keepUp({ atLimit, clockMs }: Turns): Promise<void> {
    if (clockMs === null) return;
    const behind = atLimit.filter(({ virtualMs }) => virtualMs < clockMs - CREDIT_MS);
    if (behind.length > 0)
      await raiseTurns(
        database,
        behind.map(({ userId }) => userId),
        clockMs,
      );
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
