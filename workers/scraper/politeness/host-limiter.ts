import type { Database } from '../../../db/connect.ts';
import { joinQueue, syncPermits } from '../../../db/sites/hosts.ts';
import { createBatcher } from '../../../runtime/batch.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import { type HostDecision, PermitBatcher, type PermitStore, type PermitWish } from './permit-batcher.ts';

/**
 * Limits, through Postgres and over all workers, a host's concurrent pages and the gap between
 * their starts.
 */
export interface HostLimiter {
  /**
   * Waits up to `MAX_WAIT_MS` for a permit; for a longer wait the decision has its length in ms.
   * @throws the signal's reason
   */
  acquire(host: string, wish: PermitWish, signal: AbortSignal): Promise<HostDecision>;
  /** Releases all permits. */
  stop(): Promise<void>;
}

/**
 * How long a job waits in its slot. For a longer wait it is snoozed, and the slot runs another job.
 */
export const MAX_WAIT_MS = 2000;

export function createHostLimiter(options: {
  database: Database;
  logger: Logger;
  /** Pages of a host at the same time, over all workers. */
  concurrency: number;
  leaseMs: number;
}): HostLimiter {
  const { database, logger, leaseMs } = options;
  const limits = { maxPermits: options.concurrency, maxWaitMs: MAX_WAIT_MS, leaseMs };
  const store: PermitStore = {
    // Requests of several hosts share a statement. Two of one host would lock the same row: its
    // batcher merges them.
    sync: createBatcher((requests) => syncPermits(database, limits, requests), { maxItems: 64, maxRuns: 2 }),
    joinQueue: (host, gapMs) => joinQueue(database, host, gapMs),
  };
  const hosts = new Map<string, PermitBatcher>();

  return {
    acquire: (name, wish, signal) => {
      let batcher = hosts.get(name);
      if (!batcher) {
        batcher = new PermitBatcher(name, {
          ...{ store, leaseMs, logger, maxWaitMs: MAX_WAIT_MS },
          onIdle: () => hosts.delete(name),
        });
        hosts.set(name, batcher);
      }
      return batcher.acquire(wish, signal);
    },
    stop: async () => {
      await Promise.all([...hosts.values()].map((batcher) => batcher.stop()));
    },
  };
}
