import type { Channel, ConsumeMessage } from 'amqplib';
import type { Logger } from '../../runtime/log/logger.ts';
import { withTimeout } from '../../runtime/timeout.ts';
import { deliver } from '../deliver.ts';
import type { ConsumeOptions, Consumer, Handler, HandlerOutcome } from '../queue.ts';
import type { RecoveringConnection } from './connection.ts';
import { createRecoveringChannel } from './recovering-channel.ts';

/**
 * A delivery belongs to its channel: its tag means another delivery, or none, on any other channel.
 */
interface Received {
  channel: Channel;
  closed: AbortSignal;
  message: ConsumeMessage;
}

const CANCEL_MS = 5000;
/** So that an unanswered subscribe does not block the other consumers. */
const SUBSCRIBE_MS = 5000;
/** About five seconds of refusals: a broker that is only slow to start takes less. */
const REFUSALS = 5;

/**
 * One channel per consumer, so the channel's prefetch is the consumer's on every RabbitMQ version.
 */
export function createConsumer(options: {
  connection: RecoveringConnection;
  queue: string;
  prefetch: number;
  /** See `QueueDeclaration`. */
  isRebuildable: boolean;
  onUnreadable?: ConsumeOptions['onUnreadable'];
  beforeRecreate?: ConsumeOptions['beforeRecreate'];
  handler: Handler;
  logger: Logger;
}): Consumer & { start(): Promise<void>; close(): Promise<void> } {
  const { connection, queue, prefetch, isRebuildable, onUnreadable, beforeRecreate, handler, logger } =
    options;
  /**
   * Not begun. The broker sends at most `prefetch` messages, but after a reconnect the handlers of
   * the old channel still hold their slots.
   */
  let held: Received[] = [];
  let busy = 0;
  let stopping: Promise<void> | undefined;
  let consuming: { channel: Channel; tag: string } | undefined;
  /** Times in a row that the broker refused the subscribe by closing the connection. */
  let refusals = 0;
  let preparing: Promise<void> | undefined;

  const begin = async (received: Received) => {
    busy += 1;
    const { closed, message } = received;
    const { redelivered } = message.fields;
    const outcome = await deliver(
      { queue, body: message.content, redelivered, signal: closed },
      handler,
      onUnreadable,
      logger,
    );
    settle(received, outcome);
    busy -= 1;
    if (stopping && busy === 0) void recovering.stop();
    else beginHeld();
  };
  const beginHeld = () => {
    while (busy < prefetch && !stopping) {
      const next = held.shift();
      if (!next) return;
      void begin(next);
    }
  };
  const settle = ({ channel, closed, message }: Received, outcome: HandlerOutcome) => {
    const lost = (cause: { error?: unknown } = {}) =>
      logger.info('delivery_lost', {
        ...{ queue, message_id: message.properties.messageId, outcome: outcome.kind },
        ...cause,
      });
    // The broker has redelivered it to another consumer by now.
    if (closed.aborted) return lost();
    try {
      applyOutcome(channel, message, outcome);
    } catch (error) {
      // The channel closed at this moment: the same as above.
      lost({ error });
    }
  };

  const setUp = async (channel: Channel, closed: AbortSignal) => {
    closed.addEventListener('abort', () => {
      held = held.filter((received) => received.channel !== channel);
      if (consuming?.channel === channel) consuming = undefined;
    });
    await channel.prefetch(prefetch);
    const isBroken = isRebuildable && refusals >= REFUSALS;
    if (isBroken) await prepareToRecreate();
    // One at a time: a refusal ends the connection, and with it what other consumers are doing.
    await connection.exclusively(async () => {
      if (closed.aborted) throw new Error('the channel closed before it could subscribe');
      if (isBroken) await recreate(channel);
      try {
        await withTimeout(
          subscribe(channel, closed),
          SUBSCRIBE_MS,
          () => new Error('the broker does not answer'),
        );
        refusals = 0;
      } catch (error) {
        refusals += 1;
        throw error;
      }
    });
  };
  /**
   * After a broker crash the process of a quorum queue may fail to start, above all if the queue
   * had been deleted and declared before (seen on 3.10.8). It can be declared, but each consumer is
   * answered 541 and each message refused until the queue is deleted.
   */
  const recreate = async (channel: Channel) => {
    logger.error('broken_queue_deleted', { queue });
    await channel.deleteQueue(queue);
    preparing = undefined;
    refusals = 0;
    await connection.redeclare();
  };
  /** May take longer than a channel's set-up may; the next channel waits for the same promise. */
  const prepareToRecreate = async () => {
    preparing ??= (beforeRecreate?.() ?? Promise.resolve()).catch((error) => {
      preparing = undefined;
      throw error;
    });
    await preparing;
  };
  const subscribe = async (channel: Channel, closed: AbortSignal) => {
    if (stopping) return;
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (!message) void subscribeAgain(channel, closed);
      else if (stopping) applyOutcome(channel, message, { kind: 'requeue' });
      else {
        held.push({ channel, closed, message });
        beginHeld();
      }
    });
    if (stopping) await cancel(channel, consumerTag);
    else consuming = { channel, tag: consumerTag };
  };
  /**
   * The broker cancelled the consumer: the queue was deleted or its leader moved. Running handlers
   * keep the channel.
   */
  const subscribeAgain = async (channel: Channel, closed: AbortSignal) => {
    consuming = undefined;
    if (stopping || closed.aborted) return;
    logger.warn('consumer_cancelled', { queue });
    try {
      await connection.redeclare();
      if (!stopping && !closed.aborted) await subscribe(channel, closed);
    } catch (error) {
      logger.warn('consume_failed', { queue, error });
      // The recovering channel opens a new one, with back-off, and subscribes again.
      if (!closed.aborted) await channel.close().catch(() => {});
    }
  };

  const recovering = createRecoveringChannel({
    connection,
    name: `consume ${queue}`,
    create: (model) => model.createChannel(),
    setUp,
    logger,
  });

  const stop = async () => {
    for (const { channel, message } of held) applyOutcome(channel, message, { kind: 'requeue' });
    held = [];
    if (consuming) await cancel(consuming.channel, consuming.tag).catch(() => {});
    if (busy === 0) await recovering.stop();
  };
  /**
   * Deliveries may arrive after the cancel; amqplib closes the channel on one for an unknown
   * consumer.
   */
  const cancel = async (channel: Channel, tag: string) => {
    await withTimeout(channel.cancel(tag), CANCEL_MS, () => new Error('late'));
    const internals = channel as Channel & { registerConsumer?(tag: string, callback: Receive): void };
    internals.registerConsumer?.(tag, (message) => {
      if (message) applyOutcome(channel, message, { kind: 'requeue' });
    });
  };

  return {
    start: () => recovering.start(),
    close: () => recovering.stop(),
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
    get busy() {
      return busy;
    },
  };
}

type Receive = (message: ConsumeMessage | null) => void;

function applyOutcome(channel: Channel, message: ConsumeMessage, outcome: HandlerOutcome): void {
  switch (outcome.kind) {
    case 'ack':
      channel.ack(message);
      return;
    case 'dead_letter':
      channel.nack(message, false, false);
      return;
    case 'requeue':
      channel.nack(message, false, true);
      return;
    default:
      outcome satisfies never;
  }
}
