import type { ArtifactStore } from '../core/jobs/artifacts.ts';
import type { RetryPolicy } from '../core/jobs/retry.ts';
import type { Database } from '../db/connect.ts';
import type { DispatchableJob } from '../db/jobs/dispatch.ts';
import { createLeadership } from '../db/leadership.ts';
import type { MailPace } from '../db/notifications/fan-out.ts';
import type { Queue } from '../queue/queue.ts';
import type { Logger } from '../runtime/log/logger.ts';
import { createDeliveryScheduler } from './deliveries.ts';
import { createDirectFanOut } from './fan-out.ts';
import { createImmediateDispatcher } from './immediate-dispatcher.ts';
import { createLoop } from './loop.ts';
import { createPruner } from './pruner.ts';
import { createRelay } from './relay.ts';
import { createRescuer } from './rescuer.ts';
import { createScheduler } from './scheduler.ts';
import type { SizeOf } from './window.ts';

/** All that moves from Postgres to the queue. */
export interface Dispatch {
  start(): void;
  /** Puts jobs that were just accepted on the queue at once if there is room; never throws, never waits. */
  offer(jobs: DispatchableJob[]): void;
  stop(): Promise<void>;
}

const LEADER_PAUSE_MS = 1000;

/**
 * Every process that accepts jobs dispatches its fresh ones itself. The sweeps have one leader among all processes; where it
 * goes, another takes over within a second or two.
 */
export function createDispatch(options: {
  database: Database;
  queue: Queue;
  logger: Logger;
  retry: RetryPolicy;
  retentionDays: number;
  /** Undefined: artifacts lie in the database. */
  artifacts?: ArtifactStore | undefined;
  mailPace: MailPace;
  /** False: only `offer`; the sweeps run in a process of their own. */
  sweeps: boolean;
  sizeOf?: SizeOf;
}): Dispatch {
  const { logger } = options;
  const fresh = createImmediateDispatcher(options);
  const leadership = createLeadership(options.database);
  let leading = false;

  const whileLeading = (name: string, step: () => Promise<number>) =>
    createLoop({ name, logger, step: async () => (leading ? step() : LEADER_PAUSE_MS / 4) });
  const loops = [
    whileLeading('sweep', createScheduler(options)),
    whileLeading('relay', createRelay(options)),
    whileLeading('rescuer', createRescuer(options)),
    whileLeading('deliveries', createDeliveryScheduler(options)),
    whileLeading('fan_out', createDirectFanOut(options)),
    whileLeading('pruner', createPruner(options)),
  ];
  const election = createLoop({
    name: 'election',
    logger,
    step: async () => {
      // Not known to lead while asking: two leaders do no harm, but none should believe in a lock it lost.
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
      if (!options.sweeps) return;
      election.start();
      for (const loop of loops) loop.start();
    },
    offer: fresh.offer,
    stop: async () => {
      await Promise.all([fresh.stop(), election.stop(), ...loops.map((loop) => loop.stop())]);
      await leadership.release();
    },
  };
}
