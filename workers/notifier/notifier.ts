import type { Database } from '../../db/connect.ts';
import { deadLetterMessage } from '../../db/events/dead-letters.ts';
import type { PauseRule } from '../../db/notifications/deliveries/settle.ts';
import type { MailPace } from '../../db/notifications/fan-out.ts';
import { fanOutAgain } from '../../dispatch/fan-out.ts';
import type { Consumer, Handler, Queue } from '../../queue/queue.ts';
import { CHANNEL_QUEUES, JOB_NOTIFICATIONS, URGENT_NOTIFICATIONS } from '../../queue/topology.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { withinTime } from '../../runtime/timeout.ts';
import type { Channel } from './channel.ts';
import { createCircuits } from './circuit-breakers.ts';
import { createDeliver } from './deliver.ts';
import { createFanOut, FAN_OUT_BATCH } from './fan-out.ts';

export interface Notifier {
  start(): Promise<void>;
  /** Takes nothing more, lets what is being sent finish within the grace, and gives back the rest. */
  stop(): Promise<void>;
}

/** Of the grace, what is kept for writing down and closing. */
const CLOSING_MS = 2000;

/** Tells people and servers what happened: the fan-out of events to those who want them, and the channels that send. */
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
  const stopping = new AbortController();
  const givingUp = new AbortController();
  const leaving = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  const consumers: Consumer[] = [];

  const consume = async (
    name: string,
    prefetch: number,
    handler: Handler,
    beforeMadeAnew?: () => Promise<void>,
  ) => {
    const tracked: Handler = (delivery) => {
      const work = handler(delivery).finally(() => underWay.delete(work));
      underWay.add(work);
      return work;
    };
    const onUnreadable = (message: Parameters<typeof deadLetterMessage>[1]) =>
      deadLetterMessage(database, message);
    consumers.push(await queue.consume(name, { prefetch, onUnreadable, beforeMadeAnew }, tracked));
  };

  return {
    start: async () => {
      const fanOut = createFanOut({ ...options, stopping: stopping.signal });
      for (const name of [URGENT_NOTIFICATIONS, JOB_NOTIFICATIONS]) {
        await consume(name, FAN_OUT_BATCH, fanOut, () => fanOutAgain(options));
      }
      const circuits = createCircuits((key, open) =>
        logger.warn(open ? 'circuit_opened' : 'circuit_closed', { circuit: key }),
      );
      const signals = { stopping: stopping.signal, givingUp: givingUp.signal, leaving: leaving.signal };
      for (const channel of options.channels) {
        const handler = createDeliver(channel, { ...options, circuits, ...signals });
        await consume(CHANNEL_QUEUES[channel.name], channel.concurrency, handler);
      }
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(consumers.map((consumer) => consumer.stop()));
      const graceMs = options.shutdownGraceMs;
      const closingMs = Math.min(CLOSING_MS, graceMs / 2);
      if (await finishedWithin(underWay, graceMs - closingMs)) return;
      logger.info('deliveries_handed_back', { deliveries: underWay.size });
      givingUp.abort();
      await finishedWithin(underWay, closingMs);
      leaving.abort();
    },
  };
}

/** Whether all of them settled in time, one way or the other. */
const finishedWithin = (work: Set<Promise<unknown>>, ms: number): Promise<boolean> =>
  withinTime(Promise.allSettled(work), ms, () => new Error('late')).then(
    () => true,
    () => false,
  );
