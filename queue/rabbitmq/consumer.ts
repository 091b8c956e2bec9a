import type { Channel, ConsumeMessage } from 'amqplib';
import type { Logger } from '../../runtime/log/logger.ts';
import { withTimeout } from '../../runtime/timeout.ts';
import { deliver } from '../deliver.ts';
import type { ConsumeOptions, Consumer, Handler, HandlerOutcome } from '../queue.ts';
import type { Link } from './connection.ts';
import { createRecoveringChannel } from './recovering-channel.ts';

/** A delivery belongs to the channel it came on: its tag means something else, or nothing, on any other. */
interface Received {
  channel: Channel;
  closed: AbortSignal;
  message: ConsumeMessage;
}

const CANCEL_MS = 5000;
/** So that one that is not answered does not keep the other consumers waiting. */
const SUBSCRIBE_MS = 5000;
/** About five seconds: a broker that is only slow to start takes less. */
const REFUSALS = 5;

/** One channel, one consumer: the prefetch of a channel then is that of its consumer, on every version of RabbitMQ. */
export function createConsumer(options: {
  link: Link;
  queue: string;
  prefetch: number;
  /** See `QueueDeclaration`. */
  isRebuildable: boolean;
  onUnreadable?: ConsumeOptions['onUnreadable'];
  beforeRecreate?: ConsumeOptions['beforeRecreate'];
  handler: Handler;
  logger: Logger;
}): Consumer & { start(): Promise<void>; close(): Promise<void> } {
  const { link, queue, prefetch, isRebuildable, onUnreadable, beforeRecreate, handler, logger } = options;
  /** Not begun. The broker sends no more than `prefetch`, but after a reconnect the handlers of before still hold their places. */
  let held: Received[] = [];
  let busy = 0;
  let stopping: Promise<void> | undefined;
  let consuming: { channel: Channel; tag: string } | undefined;
  /** Times in a row that the broker would not let us consume, and ended the connection instead. */
  let refusals = 0;
  let saving: Promise<void> | undefined;

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
    if (stopping && busy === 0) void kept.stop();
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
    if (closed.aborted) {
      // The broker has given it to somebody else by now.
      logger.info('delivery_lost', {
        queue,
        message_id: message.properties.messageId,
        outcome: outcome.kind,
      });
      return;
    }
    try {
      carryOut(channel, message, outcome);
    } catch (error) {
      // Closed in this very moment: the same as above.
      logger.info('delivery_lost', {
        queue,
        message_id: message.properties.messageId,
        outcome: outcome.kind,
        error,
      });
    }
  };

  const setUp = async (channel: Channel, closed: AbortSignal) => {
    closed.addEventListener('abort', () => {
      held = held.filter((received) => received.channel !== channel);
      if (consuming?.channel === channel) consuming = undefined;
    });
    await channel.prefetch(prefetch);
    if (isRebuildable && refusals >= REFUSALS) await recreate(channel);
    // In turn: a refusal ends the connection, and with it what the consumers of other queues are about to do.
    await link.oneByOne(async () => {
      if (closed.aborted) throw new Error('the channel closed before its turn');
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
   * After a crash of the broker the process of a quorum queue may not come up again, above all where the queue had been deleted and
   * declared before (seen on 3.10.8). It can be declared, but each consumer is answered 541 and each message refused, until somebody
   * deletes it.
   */
  const recreate = async (channel: Channel) => {
    // It may take longer than a channel has to be set up: the next one waits for the same.
    saving ??= (beforeRecreate?.() ?? Promise.resolve()).catch((error) => {
      saving = undefined;
      throw error;
    });
    await saving;
    logger.error('broken_queue_deleted', { queue });
    await channel.deleteQueue(queue);
    saving = undefined;
    refusals = 0;
    await link.redeclare();
  };
  const subscribe = async (channel: Channel, closed: AbortSignal) => {
    if (stopping) return;
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (!message) void subscribeAgain(channel, closed);
      else if (stopping) carryOut(channel, message, { kind: 'requeue' });
      else {
        held.push({ channel, closed, message });
        beginHeld();
      }
    });
    if (stopping) await cancel(channel, consumerTag);
    else consuming = { channel, tag: consumerTag };
  };
  /** The broker cancelled: the queue was deleted, or its leader moved. Handlers under way keep the channel. */
  const subscribeAgain = async (channel: Channel, closed: AbortSignal) => {
    consuming = undefined;
    if (stopping || closed.aborted) return;
    logger.warn('consumer_cancelled', { queue });
    try {
      await link.redeclare();
      if (!stopping && !closed.aborted) await subscribe(channel, closed);
    } catch (error) {
      logger.warn('consume_failed', { queue, error });
      // A fresh channel, with the back-off of its keeper, tries again.
      if (!closed.aborted) await channel.close().catch(() => {});
    }
  };

  const kept = createRecoveringChannel({
    link,
    name: `consume ${queue}`,
    create: (connection) => connection.createChannel(),
    setUp,
    logger,
  });

  const stop = async () => {
    for (const { channel, message } of held) carryOut(channel, message, { kind: 'requeue' });
    held = [];
    if (consuming) await cancel(consuming.channel, consuming.tag).catch(() => {});
    if (busy === 0) await kept.stop();
  };
  /** Deliveries may still come after the cancel; amqplib would close the channel for one whose consumer it has forgotten. */
  const cancel = async (channel: Channel, tag: string) => {
    await withTimeout(channel.cancel(tag), CANCEL_MS, () => new Error('late'));
    const internals = channel as Channel & { registerConsumer?(tag: string, callback: Receive): void };
    internals.registerConsumer?.(tag, (message) => {
      if (message) carryOut(channel, message, { kind: 'requeue' });
    });
  };

  return {
    start: () => kept.start(),
    close: () => kept.stop(),
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

function carryOut(channel: Channel, message: ConsumeMessage, outcome: HandlerOutcome): void {
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
