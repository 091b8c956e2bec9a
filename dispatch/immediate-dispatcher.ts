import type { Database } from '../db/connect.ts';
import { markDispatched, type NewJob } from '../db/jobs/dispatch.ts';
import { readWindow, type WindowState } from '../db/jobs/turns.ts';
import type { Queue } from '../queue/queue.ts';
import type { Logger } from '../runtime/log/logger.ts';
import { scrapeMessage } from './message.ts';
import { chooseTurns, inOrder } from './turns.ts';
import { roomIn, type SizeOf, windowSize } from './window.ts';

/**
 * Age of the known window after which it is reread, and age after which a job waits for the reread.
 */
const WINDOW_AGE_MS = 100;
const STALE_MS = 2000;
/** New jobs held in memory; those beyond it are left to the scheduler. */
const MAX_PENDING = 5000;
const MAX_BATCH = 500;

/**
 * Dispatches jobs when they are accepted, while the window has room and no other job waits for it.
 * The scheduler does the rest.
 */
export interface ImmediateDispatcher {
  /**
   * Takes committed jobs. Never throws, never waits: the scheduler dispatches a job that fails
   * here.
   */
  offer(jobs: NewJob[]): void;
  /** Resolves when nothing is in flight. */
  stop(): Promise<void>;
}

export function createImmediateDispatcher({
  database,
  queue,
  logger,
  sizeOf = windowSize,
}: {
  database: Database;
  queue: Queue;
  logger: Logger;
  sizeOf?: SizeOf | undefined;
}): ImmediateDispatcher {
  let pending: NewJob[] = [];
  let running: Promise<void> | undefined;
  let window: WindowState | undefined;
  let windowReadAt = 0;

  const run = async () => {
    // One event-loop tick: jobs accepted together are published together.
    await new Promise(setImmediate);
    while (pending.length > 0) {
      const batch = pending.slice(0, MAX_BATCH);
      pending = pending.slice(MAX_BATCH);
      try {
        await dispatch(batch);
      } catch (error) {
        logger.warn('immediate_dispatch_failed', { jobs: batch.length, error });
      }
    }
    running = undefined;
  };

  async function dispatch(batch: NewJob[]): Promise<void> {
    if (!queue.health().healthy) return;
    const current = await currentWindow();
    const chosen = chooseNow(batch, current, sizeOf);
    if (chosen.length === 0) return;
    for (const { userId } of chosen) {
      const others = current.inFlight.get(userId) ?? { dispatched: 0, running: 0, runningMs: 0 };
      current.inFlight.set(userId, { ...others, dispatched: others.dispatched + 1 });
    }
    await queue.publish(chosen.map(scrapeMessage));
    await markDispatched(database, chosen);
  }

  async function currentWindow(): Promise<WindowState> {
    const age = performance.now() - windowReadAt;
    if (window && age <= STALE_MS) {
      // Reread in the background for later jobs: this job does not wait for the round trip.
      if (age > WINDOW_AGE_MS) refresh().catch(() => {});
      return window;
    }
    await refresh();
    if (!window) throw new Error('no window was read');
    return window;
  }

  async function refresh(): Promise<void> {
    windowReadAt = performance.now();
    window = await readWindow(database, 1);
  }

  return {
    offer: (jobs) => {
      if (pending.length + jobs.length > MAX_PENDING) return;
      pending.push(...jobs);
      running ??= run();
    },
    stop: async () => {
      await running;
    },
  };
}

/** None if the scheduler has jobs that may start: it knows whose turn is next. */
function chooseNow(batch: readonly NewJob[], window: WindowState, sizeOf: SizeOf): NewJob[] {
  if (chooseTurns(window.waiting, window.inFlight, 1).order.length > 0) return [];
  const jobs = [...batch].sort((a, b) => b.priority - a.priority);
  const counts = new Map<string, number>();
  for (const { userId } of jobs) counts.set(userId, (counts.get(userId) ?? 0) + 1);
  const users = new Map(
    jobs.map(({ userId, runningLimit }) => [
      userId,
      { userId, weight: 1, limit: runningLimit, virtualMs: 0, jobs: counts.get(userId) ?? 0 },
    ]),
  );
  const { order } = chooseTurns([...users.values()], window.inFlight, roomIn(window, sizeOf).room);
  return inOrder(order, jobs);
}
