import type { Database } from '../../db/connect.ts';
import { deadLetterMessage } from '../../db/events/dead-letters.ts';
import type { PauseRule } from '../../db/notifications/deliveries/settle.ts';
import type { MailPace } from '../../db/notifications/fan-out.ts';
import { fanOutAgain } from '../../dispatch/fan-out.ts';
import type { Consumer, Handler, Queue } from '../../queue/queue.ts';
import { CHANNEL_QUEUES, JOB_NOTIFICATIONS, URGENT_NOTIFICATIONS } from '../../queue/topology.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { withTimeout } from '../../runtime/timeout.ts';
import type { Channel } from './channel.ts';
import { createDeliveryCircuitBreakers } from './circuit-breakers.ts';
import { createDeliver } from './deliver.ts';
import { createFanOut, FAN_OUT_BATCH } from './fan-out.ts';

export interface Notifier {
  start(): Promise<void>;
  /**
   * Takes no more messages, lets those being sent finish within the grace period, and releases the
   * rest.
   */
  stop(): Promise<void>;
}

/** Part of the grace period reserved for settling and closing. */
const CLOSING_MS = 2000;

/** Runs the fan-out of events to the users who want them, and the channels that send. */
export function createNotifier(options: {
  database: Database;
  queue: Queue;
  channels: Channel[];
  mailPace: MailPace;
  rule: PauseRule;
  leaseMs: number;
  shutdownGraceMs: number;
  logger: Logger;
}): Notifier {
  const { database, queue, logger } = options;
  const drain = new AbortController();
  const abort = new AbortController();
  const kill = new AbortController();
  const running = new Set<Promise<unknown>>();
  const consumers: Consumer[] = [];

  const consume = async (
    name: string,
    prefetch: number,
    handler: Handler,
    beforeRecreate?: () => Promise<void>,
  ) => {
    const tracked: Handler = (delivery) => {
      const work = handler(delivery).finally(() => running.delete(work));
      running.add(work);
      return work;
    };
    const onUnreadable = (message: Parameters<typeof deadLetterMessage>[1]) =>
      deadLetterMessage(database, message);
    consumers.push(await queue.consume(name, { prefetch, onUnreadable, beforeRecreate }, tracked));
  };

  return {
    start: async () => {
      const fanOut = createFanOut({ ...options, drain: drain.signal });
      for (const name of [URGENT_NOTIFICATIONS, JOB_NOTIFICATIONS]) {
        await consume(name, FAN_OUT_BATCH, fanOut, () => fanOutAgain(options));
      }
      const circuits = createDeliveryCircuitBreakers((key, open) =>
        logger.warn(open ? 'circuit_opened' : 'circuit_closed', { circuit: key }),
      );
      const signals = { drain: drain.signal, abort: abort.signal, kill: kill.signal };
      for (const channel of options.channels) {
        const handler = createDeliver(channel, { ...options, circuits, ...signals });
        await consume(CHANNEL_QUEUES[channel.name], channel.concurrency, handler);
      }
    },
    stop: async () => {
      drain.abort();
      await Promise.all(consumers.map((consumer) => consumer.stop()));
      const graceMs = options.shutdownGraceMs;
      const closingMs = Math.min(CLOSING_MS, graceMs / 2);
      if (await finishedWithin(running, graceMs - closingMs)) return;
      logger.info('deliveries_released', { deliveries: running.size });
      abort.abort();
      await finishedWithin(running, closingMs);
      kill.abort();
    },
  };
}

/** Whether all of them settled in time, fulfilled or rejected. */
const finishedWithin = (work: Set<Promise<unknown>>, ms: number): Promise<boolean> =>
  withTimeout(Promise.allSettled(work), ms, () => new Error('late')).then(
    () => true,
    () => false,
  );
