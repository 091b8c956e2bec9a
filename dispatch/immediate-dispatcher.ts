import type { Database } from '../db/connect.ts';
import { type DispatchableJob, markDispatched, readWindow, type WindowState } from '../db/jobs/dispatch.ts';
import type { Queue } from '../queue/queue.ts';
import type { Logger } from '../runtime/log/logger.ts';
import { scrapeMessage } from './message.ts';
import { chooseForWindow, type SizeOf, windowSize } from './window.ts';

/** How old what is known of the window may be before it is read again, and before a job waits for that. */
const WINDOW_AGE_MS = 100;
const STALE_MS = 2000;
/** Fresh jobs held in memory; what comes on top is left to the sweep. */
const MAX_PENDING = 5000;
const MAX_BATCH = 500;

/** Dispatches jobs the moment they are accepted, while the queue's window has room. The sweep does all the rest. */
export interface ImmediateDispatcher {
  /** Takes jobs whose commit is done. Never throws and never waits: a job that does not make it is the sweep's. */
  offer(jobs: DispatchableJob[]): void;
  /** Resolves when nothing is under way any more. */
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
  let pending: DispatchableJob[] = [];
  let running: Promise<void> | undefined;
  let window: WindowState | undefined;
  let windowReadAt = 0;

  const run = async () => {
    // One turn of the event loop: what was accepted together is published together.
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

  async function dispatch(batch: DispatchableJob[]): Promise<void> {
    if (!queue.health().healthy) return;
    const current = await currentWindow();
    const { nextPriority, dispatched } = current;
    // Whoever waits already goes first, unless this one matters more.
    const entitled = batch.filter(({ priority }) => nextPriority === null || priority > nextPriority);
    const ordered = entitled.sort((a, b) => b.priority - a.priority);
    const chosen = chooseForWindow(ordered, dispatched, sizeOf(current));
    if (chosen.length === 0) return;
    for (const { priority } of chosen) dispatched.set(priority, (dispatched.get(priority) ?? 0) + 1);
    await queue.publish(chosen.map(scrapeMessage));
    await markDispatched(database, chosen);
  }

  async function currentWindow(): Promise<WindowState> {
    const age = performance.now() - windowReadAt;
    if (window && age <= STALE_MS) {
      // Read behind the back of this job, for those to come: it starts a round trip sooner.
      if (age > WINDOW_AGE_MS) refresh().catch(() => {});
      return window;
    }
    await refresh();
    if (!window) throw new Error('no window was read');
    return window;
  }

  async function refresh(): Promise<void> {
    windowReadAt = performance.now();
    window = await readWindow(database);
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
