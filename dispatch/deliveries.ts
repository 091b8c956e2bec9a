import type { Database } from '../db/connect.ts';
import {
  countLongDispatchedDeliveries,
  forgetLongDispatchedDeliveries,
  listDueDeliveries,
  markDeliveriesDispatched,
} from '../db/notifications/deliveries/dispatch.ts';
import { releaseExpiredDeliveries } from '../db/notifications/deliveries/settle.ts';
import type { Queue } from '../queue/queue.ts';
import { CHANNEL_QUEUES } from '../queue/topology.ts';
import type { Logger } from '../runtime/log/logger.ts';
import { sendMessage } from './notification-messages.ts';

/** Default pause, and pause while notifiers empty a window faster than it is filled. */
const PAUSE_MS = 50;
const BUSY_PAUSE_MS = 5;
/**
 * After this long without due deliveries the pause grows, so that an idle installation stays idle.
 */
const QUIET_AFTER_MS = 5000;
const QUIET_PAUSE_MS = 200;
/**
 * Messages per channel that may wait in the broker. Their order is fixed there, so at most this
 * many ordinary ones precede an urgent one; all others wait in Postgres behind it.
 */
const WINDOW = 64;
const CHECK_MS = 1000;
const LONG_DISPATCHED_MS = 10_000;

/** Enqueues due deliveries; requeues those whose notifier or message was lost. */
export function createDeliveryScheduler({
  database,
  queue,
  logger,
}: {
  database: Database;
  queue: Queue;
  logger: Logger;
}): () => Promise<number> {
  let checkedAt = 0;
  let lastDueAt = performance.now();

  return async () => {
    const isCheck = performance.now() - checkedAt >= CHECK_MS;
    if (isCheck) {
      checkedAt = performance.now();
      const released = await releaseExpiredDeliveries(database, 1000);
      if (released > 0) logger.warn('deliveries_rescued', { deliveries: released });
    }
    if (!queue.health().healthy) return PAUSE_MS;
    if (isCheck) await forgetLost();
    const due = await listDueDeliveries(database, WINDOW);
    if (due.length === 0) return performance.now() - lastDueAt < QUIET_AFTER_MS ? PAUSE_MS : QUIET_PAUSE_MS;
    lastDueAt = performance.now();
    await queue.publish(due.map(sendMessage));
    await markDeliveriesDispatched(database, due);
    return due.length >= WINDOW / 2 ? BUSY_PAUSE_MS : PAUSE_MS;
  };

  /**
   * As with jobs: if fewer messages wait than deliveries were enqueued long ago, some were lost. A
   * second wake-up message is harmless.
   */
  async function forgetLost(): Promise<void> {
    for (const { channel, count } of await countLongDispatchedDeliveries(database, LONG_DISPATCHED_MS)) {
      if ((await queue.depth(CHANNEL_QUEUES[channel])) >= count) continue;
      const deliveries = await forgetLongDispatchedDeliveries(database, channel, LONG_DISPATCHED_MS);
      logger.warn('messages_lost', { queue: CHANNEL_QUEUES[channel], deliveries });
    }
  }
}
