import type { Database } from '../../db/connect.ts';
import type { PauseRule } from '../../db/notifications/deliveries/settle.ts';
import type { MailPace } from '../../db/notifications/fan-out.ts';
import { fanOutAgain } from '../../dispatch/fan-out.ts';
import type { Queue } from '../../queue/queue.ts';
import { CHANNEL_QUEUES, JOB_NOTIFICATIONS, URGENT_NOTIFICATIONS } from '../../queue/topology.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { createConsumerService } from '../consumer/consumer-service.ts';
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
  const { logger } = options;
  const drain = new AbortController();
  const abort = new AbortController();
  const kill = new AbortController();
  const consumers = createConsumerService(options);

  return {
    start: async () => {
      const beforeRecreate = () => fanOutAgain(options);
      const fanOut = createFanOut({ ...options, drain: drain.signal });
      for (const name of [URGENT_NOTIFICATIONS, JOB_NOTIFICATIONS]) {
        await consumers.start(name, { prefetch: FAN_OUT_BATCH, beforeRecreate }, fanOut);
      }
      const circuits = createDeliveryCircuitBreakers((key, open) =>
        logger.warn(open ? 'circuit_opened' : 'circuit_closed', { circuit: key }),
      );
      const signals = { drain: drain.signal, abort: abort.signal, kill: kill.signal };
      for (const channel of options.channels) {
        const handler = createDeliver(channel, { ...options, circuits, ...signals });
        const prefetch = channel.concurrency;
        await consumers.start(CHANNEL_QUEUES[channel.name], { prefetch }, handler);
      }
    },
    stop: async () => {
      drain.abort();
      await consumers.drain();
      const graceMs = options.shutdownGraceMs;
      const closingMs = Math.min(CLOSING_MS, graceMs / 2);
      if (await consumers.finish(graceMs - closingMs)) return;
      logger.info('deliveries_released', { deliveries: consumers.running });
      abort.abort();
      await consumers.finish(closingMs);
      kill.abort();
    },
  };
}
