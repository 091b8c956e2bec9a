import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { RetryPolicy } from '../../core/jobs/retry.ts';
import type { Database } from '../../db/connect.ts';
import { buryMessage } from '../../db/events/dead-letters.ts';
import type { Consumer, Queue } from '../../queue/queue.ts';
import { SCRAPE_JOBS } from '../../queue/topology.ts';
import type { Logger } from '../../runtime/logger.ts';
import { withinTime } from '../../runtime/timeout.ts';
import { createClaimer } from './claim.ts';
import { createRecorder } from './completer.ts';
import { type JobSteps, runJob } from './execution.ts';
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
  scrape: JobSteps['scrape'];
  onFatal: JobSteps['onFatal'];
  slots: number;
  leaseMs: number;
  jobTimeoutMs: number;
  shutdownGraceMs: number;
  retry: RetryPolicy;
}): Worker {
  const { database, queue, logger, retry } = options;
  // The host for people; the rest so that a process id used again is still another worker to the fence.
  const id = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const identity = { id, slots: options.slots, leaseMs: options.leaseMs };
  const stopping = new AbortController();
  const givingUp = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  const heartbeat = createHeartbeat({ database, logger, worker: identity });
  const steps: JobSteps = {
    claim: createClaimer({ database, heartbeat, worker: identity, retry, logger, stopping: stopping.signal }),
    record: createRecorder({ database, retry, logger, givingUp: givingUp.signal }),
    heartbeat,
    scrape: options.scrape,
    onFatal: options.onFatal,
    bury: (message) => buryMessage(database, message),
    logger,
    jobTimeoutMs: options.jobTimeoutMs,
  };
  let consumer: Consumer | undefined;

  return {
    id,
    start: async () => {
      heartbeat.start();
      consumer = await queue.consume(
        SCRAPE_JOBS,
        { prefetch: options.slots, onUnreadable: (message) => buryMessage(database, message) },
        (delivery) => {
          const run = runJob(delivery, steps).finally(() => underWay.delete(run));
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
        if (!(await finishedWithin(underWay, closingMs(graceMs) / 2))) givingUp.abort();
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
