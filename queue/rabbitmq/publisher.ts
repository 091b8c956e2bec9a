import type { ConfirmChannel, Message } from 'amqplib';
import type { Logger } from '../../runtime/log/logger.ts';
import { withTimeout } from '../../runtime/timeout.ts';
import { encodeEnvelope } from '../envelope.ts';
import { type OutgoingMessage, PublishError } from '../queue.ts';
import type { Topology } from '../topology.ts';
import { closeChannel } from './channel.ts';
import type { RecoveringConnection } from './connection.ts';
import { createRecoveringChannel } from './recovering-channel.ts';

export interface Publisher {
  start(): Promise<void>;
  /** See `Queue.publish`. */
  publish(messages: OutgoingMessage[]): Promise<void>;
  /** Waits for publishes in flight, for a bounded time. */
  stop(): Promise<void>;
}

/**
 * Unconfirmed messages. The broker confirms in groups, so a much smaller window would leave it
 * idle.
 */
const WINDOW = 256;
/** For a place in the window, and again for the last confirm. */
const WAIT_MS = 5000;
/**
 * Messages waiting for a place. Beyond this a call is rejected at once, or an outage would fill the
 * memory.
 */
const MAX_WAITING = 10_000;

interface Encoded {
  message: OutgoingMessage;
  body: Buffer;
}
interface InFlight {
  message: OutgoingMessage;
  /** The broker's reason why no queue took it; arrives before its confirm. */
  returned?: string;
}
type Waiting = { give(channel: ConfirmChannel): void; refuse(reason: string): void };

export function createPublisher(options: {
  connection: RecoveringConnection;
  topology: Topology;
  logger: Logger;
}): Publisher {
  const { connection, topology } = options;
  const exchanges = new Set(['', ...topology.exchanges.map(({ name }) => name)]);
  const inFlight = new Set<InFlight>();
  const waiting: Waiting[] = [];
  /** Places in the window given to calls that send in a later event-loop tick. */
  let reserved = 0;
  let channel: ConfirmChannel | undefined;
  let stopped = false;
  let onIdle = () => {};

  const publish = async (messages: OutgoingMessage[]) => {
    const encoded = messages.map(encode);
    const confirms: Promise<PublishError | undefined>[] = [];
    const used = new Set<ConfirmChannel>();
    for (const one of encoded) {
      const on = await room();
      used.add(on);
      confirms.push(send(on, one));
    }
    const late = () => {
      if (channel && used.has(channel)) abandon(channel);
      return new PublishError(`no confirm from the broker within ${WAIT_MS} ms`);
    };
    const outcomes = await withTimeout(Promise.all(confirms), WAIT_MS, late);
    const failures = outcomes.filter((outcome) => outcome !== undefined);
    if (failures.length > 0) throw summary(failures, messages.length);
  };
  /**
   * The broker numbers a channel's messages to a quorum queue. If a queue was lost without notice
   * to the channel and redeclared (its process did not start after a crash; seen on 3.10.8), the
   * new queue waits for the earlier numbers and confirms nothing more of that channel. A new
   * channel starts at one.
   */
  const abandon = (stuck: ConfirmChannel) => {
    if (connection.trouble || stopped) return;
    options.logger.warn('publish_channel_stuck', { unconfirmed: inFlight.size });
    channel = undefined;
    void closeChannel(stuck);
  };
  const encode = (message: OutgoingMessage): Encoded => {
    // An exchange the broker does not have would close the channel and fail all publishes on it.
    if (!exchanges.has(message.exchange)) throw new PublishError(`no exchange ${message.exchange}`);
    return { message, body: encodeEnvelope(message.envelope) };
  };

  const usable = () => (stopped || connection.trouble ? undefined : channel);
  const room = (): ConfirmChannel | Promise<ConfirmChannel> => {
    const open = usable();
    if (open && waiting.length === 0 && inFlight.size + reserved < WINDOW) {
      reserved += 1;
      return open;
    }
    if (stopped) throw new PublishError('the queue is stopped');
    if (waiting.length >= MAX_WAITING)
      throw new PublishError(`too many publishes wait: ${connection.trouble ?? 'busy'}`);
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        const index = waiting.indexOf(waiter);
        if (index >= 0) waiting.splice(index, 1);
      };
      const waiter: Waiting = {
        give: (given) => {
          leave();
          resolve(given);
        },
        refuse: (reason) => {
          leave();
          reject(new PublishError(reason));
        },
      };
      const timer = setTimeout(
        () => waiter.refuse(connection.trouble ?? `no room in the publish window within ${WAIT_MS} ms`),
        WAIT_MS,
      );
      waiting.push(waiter);
    });
  };
  const admit = () => {
    const open = usable();
    while (open && inFlight.size + reserved < WINDOW && waiting[0]) {
      reserved += 1;
      waiting[0].give(open);
    }
    if (inFlight.size === 0) onIdle();
  };

  /** Resolves with the error, and never rejects: it may settle before it is awaited. */
  const send = (on: ConfirmChannel, { message, body }: Encoded) =>
    new Promise<PublishError | undefined>((resolve) => {
      const entry: InFlight = { message };
      reserved -= 1;
      inFlight.add(entry);
      const settle = (error: Error | null | undefined) => {
        if (!inFlight.delete(entry)) return;
        if (error) resolve(new PublishError(`not confirmed: ${error.message}`, { cause: error }));
        else if (entry.returned) resolve(new PublishError(`no queue takes it: ${entry.returned}`));
        else resolve(undefined);
        admit();
      };
      try {
        on.publish(message.exchange, message.routingKey, body, propertiesOf(message), settle);
      } catch (error) {
        settle(error instanceof Error ? error : new Error(String(error)));
      }
    });
  const onReturn = ({ fields, properties }: Message) => {
    const { exchange, routingKey, replyText } = fields as {
      exchange: string;
      routingKey: string;
      replyText?: string;
    };
    // An id may be in flight twice, on other routes or as a retry; returns arrive in sending order.
    for (const entry of inFlight) {
      const { message, returned } = entry;
      const same = message.envelope.id === properties.messageId && message.exchange === exchange;
      if (same && message.routingKey === routingKey && !returned) {
        // A queue of the topology was deleted. It is redeclared for the next publish.
        if (exchange === '' && topology.queues.some(({ name }) => name === routingKey)) declareAgain();
        entry.returned = `${replyText ?? 'unroutable'} (exchange '${exchange}', routing key '${routingKey}')`;
        return;
      }
    }
  };

  const declareAgain = () => {
    connection.redeclare().catch((error) => options.logger.warn('declare_failed', { error }));
  };

  const recovering = createRecoveringChannel({
    connection,
    name: 'publish',
    create: (model) => model.createConfirmChannel(),
    setUp: async (opened, closed) => {
      opened.on('return', onReturn);
      // amqplib calls back every unconfirmed publish before this.
      closed.addEventListener('abort', () => {
        if (channel === opened) channel = undefined;
      });
      channel = opened;
      admit();
    },
    logger: options.logger,
  });
  connection.onReady(admit);

  return {
    start: () => recovering.start(),
    publish,
    stop: async () => {
      stopped = true;
      for (const waiter of [...waiting]) waiter.refuse('the queue is stopped');
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve;
      });
      if (inFlight.size > 0) await withTimeout(idle, WAIT_MS, () => new Error('late')).catch(() => {});
      await recovering.stop();
    },
  };
}

const propertiesOf = ({ envelope, mandatory }: OutgoingMessage) => ({
  mandatory: mandatory ?? false,
  persistent: true,
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  messageId: envelope.id,
  type: envelope.type,
  // AMQP counts seconds.
  timestamp: Math.floor((Date.parse(envelope.occurred_at) || Date.now()) / 1000),
  correlationId: envelope.correlation_id,
  appId: 'leadengine',
});

function summary(failures: PublishError[], sent: number): PublishError {
  const [first] = failures;
  if (first && sent === 1) return first;
  return new PublishError(`${failures.length} of ${sent} messages failed, the first: ${first?.message}`, {
    cause: first,
  });
}
