import type { Database } from '../../../db/connect.ts';
import { joinQueue, syncPermits } from '../../../db/sites/hosts.ts';
import { createBatcher } from '../../../runtime/batch.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import { type HostDecision, PermitBatcher, type PermitStore, type PermitWish } from './permit-batcher.ts';

/** Limits how many pages of a host load at once and how far apart they start, over all workers, by way of Postgres. */
export interface HostLimiter {
  /**
   * Waits for a permit, `MAX_WAIT_MS` at most; for a longer wait the answer says how long.
   * @throws the signal's reason
   */
  acquire(host: string, wish: PermitWish, signal: AbortSignal): Promise<HostDecision>;
  /** Gives back all that is held. */
  stop(): Promise<void>;
}

/** How long a job waits in its slot. During a longer wait the slot does something else. */
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
    // Pages of several hosts share a statement. Two of one host would wait for each other's row: its batcher asks for both at once.
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
