import type { Database } from '../../db/connect.ts';
import { FINISHED_CHANNEL } from '../../db/jobs/finished.ts';
import { listFinished } from '../../db/jobs/read.ts';
import type { Listening } from '../../db/listen.ts';
import type { Logger } from '../../runtime/log/logger.ts';

export interface LongPoll {
  /**
   * Resolves when the job is final or deleted, after `timeoutMs`, when `signal` fires, or when this
   * process stops. Never rejects.
   */
  untilFinal(jobId: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Ends every wait. Resolves when nothing listens any more. */
  stop(): Promise<void>;
}

const POLL_MS = 100;

/**
 * Wakes requests when their jobs end: at once if the worker announces it, which it does for jobs
 * that were submitted by a request that waits; else by one query per 100 ms for all that wait, of
 * which a thousand cost as much as one.
 */
export function createLongPoll(database: Database, logger: Logger): LongPoll {
  /** From the first request that waits. */
  let listening: Listening | undefined;
  const waiting = new Map<string, Set<() => void>>();
  let polling = false;
  let stopped = false;
  let failing = false;

  const wakeAll = (id: string) => {
    for (const wake of [...(waiting.get(id) ?? [])]) wake();
  };
  const poll = async () => {
    try {
      for (const id of await listFinished(database, [...waiting.keys()])) {
        wakeAll(id);
      }
      failing = false;
    } catch (error) {
      // Requests keep waiting until their own timeouts, and polling goes on.
      if (!failing) logger.warn('long_poll_failed', { error });
      failing = true;
    }
  };
  const keepPolling = () => {
    if (polling || waiting.size === 0) return;
    polling = true;
    setTimeout(async () => {
      if (waiting.size > 0) await poll();
      polling = false;
      keepPolling();
    }, POLL_MS).unref();
  };

  return {
    untilFinal: (jobId, timeoutMs, signal) =>
      new Promise((resolve) => {
        if (stopped || signal.aborted) {
          resolve();
          return;
        }
        const wakes = waiting.get(jobId) ?? new Set();
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          wakes.delete(wake);
          if (wakes.size === 0 && waiting.get(jobId) === wakes) waiting.delete(jobId);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake);
        wakes.add(wake);
        waiting.set(jobId, wakes);
        listening ??= database.listen(FINISHED_CHANNEL, wakeAll);
        keepPolling();
      }),
    stop: async () => {
      stopped = true;
      for (const id of [...waiting.keys()]) wakeAll(id);
      await listening?.stop();
    },
  };
}
