import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { RetryPolicy } from '../../core/jobs/retry.ts';
import type { Database } from '../../db/connect.ts';
import type { Queue } from '../../queue/queue.ts';
import { SCRAPE_JOBS } from '../../queue/topology.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { createConsumerService } from '../consumer/consumer-service.ts';
import { createClaimer } from './claim.ts';
import { createExecutor, type ExecutorOptions } from './execution.ts';
import { createHeartbeat } from './heartbeat.ts';

export interface Worker {
  readonly id: string;
  start(): Promise<void>;
  /**
   * Takes no more jobs, lets running ones finish within the grace period, and releases the rest.
   */
  stop(): Promise<void>;
}

/** Part of the grace period reserved for releasing jobs and closing. */
const closingMs = (graceMs: number): number => Math.min(3000, graceMs / 2);

export function createWorker(options: {
  database: Database;
  queue: Queue;
  logger: Logger;
  resolve: ExecutorOptions['resolve'];
  onFatal: ExecutorOptions['onFatal'];
  slots: number;
  /** Whether its browser is confined: `on`, or why not; null if it is not known. */
  sandbox?: () => string | null;
  leaseMs: number;
  jobTimeoutMs: number;
  shutdownGraceMs: number;
  retry: RetryPolicy;
}): Worker {
  const { database, queue, logger, retry, resolve, onFatal, jobTimeoutMs } = options;
  // The host name is for operators; the suffix keeps a reused process id from passing the fence.
  const id = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const identity = {
    id,
    slots: options.slots,
    leaseMs: options.leaseMs,
    sandbox: options.sandbox ?? (() => null),
  };
  const stopping = new AbortController();
  const kill = new AbortController();
  const consumers = createConsumerService({ database, queue });
  const heartbeat = createHeartbeat({ database, logger, worker: identity });
  const claim = createClaimer({
    ...{ database, heartbeat, worker: identity, retry, logger },
    stopping: stopping.signal,
  });
  const execute = createExecutor({
    ...{ database, logger, claim, heartbeat, resolve, onFatal, jobTimeoutMs, retry },
    ...{ stopping: stopping.signal, kill: kill.signal },
  });

  return {
    id,
    start: async () => {
      heartbeat.start();
      await consumers.start(SCRAPE_JOBS, { prefetch: options.slots }, execute);
    },
    stop: async () => {
      const graceMs = options.shutdownGraceMs;
      stopping.abort();
      await consumers.drain();
      if (!(await consumers.finish(graceMs - closingMs(graceMs)))) {
        logger.info('jobs_released', { jobs: consumers.running });
        heartbeat.releaseAll();
        if (!(await consumers.finish(closingMs(graceMs) / 2))) kill.abort();
        await consumers.finish(closingMs(graceMs) / 4);
      }
      await heartbeat.stop();
    },
  };
}
