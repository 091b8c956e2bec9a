import type { Sql } from '../../db/connect.ts';
import { listFinished } from '../../db/jobs/read.ts';
import type { Logger } from '../../runtime/log/logger.ts';

export interface LongPoll {
  /**
   * Resolves when the job is final or deleted, after `timeoutMs`, when `signal` fires, or when this
   * process stops. Never rejects.
   */
  untilFinal(jobId: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Ends every wait. */
  stop(): void;
}

const POLL_MS = 100;

/** One query per 100 ms for all waiting requests: a thousand cost as much as one. */
export function createLongPoll(sql: Sql, logger: Logger): LongPoll {
  const waiting = new Map<string, Set<() => void>>();
  let polling = false;
  let stopped = false;
  let failing = false;

  const poll = async () => {
    try {
      for (const id of await listFinished(sql, [...waiting.keys()])) {
        for (const wake of waiting.get(id) ?? []) wake();
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
        keepPolling();
      }),
    stop: () => {
      stopped = true;
      for (const wakes of [...waiting.values()]) for (const wake of [...wakes]) wake();
    },
  };
}
