import type { ArtifactStore } from '../core/jobs/artifacts.ts';
import type { RetryPolicy } from '../core/jobs/retry.ts';
import type { Database } from '../db/connect.ts';
import type { NewJob } from '../db/jobs/dispatch.ts';
import { createLeadership } from '../db/leadership.ts';
import type { MailPace } from '../db/notifications/fan-out.ts';
import type { Queue } from '../queue/queue.ts';
import type { Logger } from '../runtime/log/logger.ts';
import { createRemover } from './deletions/remover.ts';
import { createDeliveryScheduler } from './deliveries.ts';
import { createDirectFanOut } from './fan-out.ts';
import { createImmediateDispatcher } from './immediate-dispatcher.ts';
import { createLoop } from './loop.ts';
import { createPruner } from './pruner.ts';
import { createRelay } from './relay.ts';
import { createRescuer } from './rescuer.ts';
import { createScheduler } from './scheduler.ts';
import { createScheduleRunner } from './schedules.ts';
import type { SizeOf } from './window.ts';

/** Moves jobs, deliveries and events from Postgres to the queue. */
export interface Dispatch {
  start(): void;
  /** Enqueues jobs that were just accepted, if the window has room. Never throws, never waits. */
  offer(jobs: NewJob[]): void;
  stop(): Promise<void>;
}

const LEADER_PAUSE_MS = 1000;

/**
 * Every process that accepts jobs dispatches them itself at once. All other loops run in one leader
 * among the processes; if it ends, another one takes over within two seconds.
 */
export function createDispatch(options: {
  database: Database;
  queue: Queue;
  logger: Logger;
  retry: RetryPolicy;
  retentionDays: number;
  auditRetentionDays: number;
  /** Undefined: artifacts are stored in the database. */
  artifacts?: ArtifactStore | undefined;
  mailPace: MailPace;
  /** False: only `offer` works here; the loops run in another process. */
  runsLoops: boolean;
  sizeOf?: SizeOf;
}): Dispatch {
  const { logger } = options;
  const immediate = createImmediateDispatcher(options);
  const leadership = createLeadership(options.database);
  let leading = false;

  const whileLeading = (name: string, step: () => Promise<number>) =>
    createLoop({ name, logger, step: async () => (leading ? step() : LEADER_PAUSE_MS / 4) });
  const loops = [
    whileLeading('scheduler', createScheduler(options)),
    whileLeading('relay', createRelay(options)),
    whileLeading('rescuer', createRescuer(options)),
    whileLeading('deliveries', createDeliveryScheduler(options)),
    whileLeading('fan_out', createDirectFanOut(options)),
    whileLeading('schedules', createScheduleRunner(options)),
    whileLeading('pruner', createPruner(options)),
    whileLeading('deletions', createRemover(options)),
  ];
  const election = createLoop({
    name: 'election',
    logger,
    step: async () => {
      // A failed query counts as a lost lock. Two leaders do no harm; a leader without a lock must
      // stop.
      const held = await leadership.hold().catch((error) => {
        leading = false;
        throw error;
      });
      if (held !== leading) logger.info(held ? 'leadership_acquired' : 'leadership_lost');
      leading = held;
      return LEADER_PAUSE_MS;
    },
  });

  return {
    start: () => {
      if (!options.runsLoops) return;
      election.start();
      for (const loop of loops) loop.start();
    },
    offer: immediate.offer,
    stop: async () => {
      await Promise.all([immediate.stop(), election.stop(), ...loops.map((loop) => loop.stop())]);
      await leadership.release();
    },
  };
}
