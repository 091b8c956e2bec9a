import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { RetryPolicy } from '../../core/jobs/retry.ts';
import type { Database } from '../../db/connect.ts';
import { deadLetterMessage } from '../../db/events/dead-letters.ts';
import type { Consumer, Queue } from '../../queue/queue.ts';
import { SCRAPE_JOBS } from '../../queue/topology.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { withinTime } from '../../runtime/timeout.ts';
import { createClaimer } from './claim.ts';
import { createExecutor, type ExecutorOptions } from './execution.ts';
import { createHeartbeat } from './heartbeat.ts';

export interface Worker {
  readonly id: string;
  start(): Promise<void>;
  /** Takes no more work, lets what runs finish within the grace, and hands back what does not. */
  stop(): Promise<void>;
}

/** Of the grace, what is kept for handing jobs back and closing everything. */
const closingMs = (graceMs: number): number => Math.min(3000, graceMs / 2);

export function createWorker(options: {
  database: Database;
  queue: Queue;
  logger: Logger;
  resolve: ExecutorOptions['resolve'];
  onFatal: ExecutorOptions['onFatal'];
  slots: number;
  leaseMs: number;
  jobTimeoutMs: number;
  shutdownGraceMs: number;
  retry: RetryPolicy;
}): Worker {
  const { database, queue, logger, retry, resolve, onFatal, jobTimeoutMs } = options;
  // The host for operators; the rest so that a process id used again is still another worker to the fence.
  const id = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const identity = { id, slots: options.slots, leaseMs: options.leaseMs };
  const stopping = new AbortController();
  const kill = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  const heartbeat = createHeartbeat({ database, logger, worker: identity });
  const claim = createClaimer({
    ...{ database, heartbeat, worker: identity, retry, logger },
    stopping: stopping.signal,
  });
  const execute = createExecutor({
    ...{ database, logger, claim, heartbeat, resolve, onFatal, jobTimeoutMs, retry },
    kill: kill.signal,
  });
  let consumer: Consumer | undefined;

  return {
    id,
    start: async () => {
      heartbeat.start();
      consumer = await queue.consume(
        SCRAPE_JOBS,
        { prefetch: options.slots, onUnreadable: (message) => deadLetterMessage(database, message) },
        (delivery) => {
          const run = execute(delivery).finally(() => underWay.delete(run));
          underWay.add(run);
          return run;
        },
      );
    },
    stop: async () => {
      const graceMs = options.shutdownGraceMs;
      stopping.abort();
      await consumer?.stop();
      if (!(await finishedWithin(underWay, graceMs - closingMs(graceMs)))) {
        logger.info('jobs_handed_back', { jobs: underWay.size });
        heartbeat.releaseAll();
        if (!(await finishedWithin(underWay, closingMs(graceMs) / 2))) kill.abort();
        await finishedWithin(underWay, closingMs(graceMs) / 4);
      }
      await heartbeat.stop();
    },
  };
}

/** Whether all of them settled in time, one way or the other. */
const finishedWithin = (work: Set<Promise<unknown>>, ms: number): Promise<boolean> =>
  withinTime(Promise.allSettled(work), ms, () => new Error('late')).then(
    () => true,
    () => false,
  );
