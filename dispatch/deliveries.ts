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

/** The pause when nothing presses, and while notifiers empty a window faster than it is filled. */
const PAUSE_MS = 50;
const BUSY_PAUSE_MS = 5;
/** Once nothing was due for so long, it is looked less often: an idle installation is not kept busy by its own questions. */
const QUIET_AFTER_MS = 5000;
const QUIET_PAUSE_MS = 200;
/**
 * Messages a channel that may wait in the broker. There their order is fixed, so this many ordinary ones at most are before an
 * urgent one; all others wait in Postgres behind it.
 */
const WINDOW = 64;
const CHECK_MS = 1000;
const LONG_DISPATCHED_MS = 10_000;

/** Rings for deliveries that are due, and takes back those of notifiers and messages that were lost. */
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

  /** As with jobs: fewer messages wait than deliveries that were put there long ago, so some were lost; a second ring is harmless. */
  async function forgetLost(): Promise<void> {
    for (const { channel, count } of await countLongDispatchedDeliveries(database, LONG_DISPATCHED_MS)) {
      if ((await queue.depth(CHANNEL_QUEUES[channel])) >= count) continue;
      const deliveries = await forgetLongDispatchedDeliveries(database, channel, LONG_DISPATCHED_MS);
      logger.warn('messages_lost', { queue: CHANNEL_QUEUES[channel], deliveries });
    }
  }
}
