import type { ChannelModel } from 'amqplib';
import type { Logger } from '../runtime/log/logger.ts';
import type { Queue } from './queue.ts';
import { withChannel } from './rabbitmq/channel.ts';
import { createLink, type Link } from './rabbitmq/connection.ts';
import { createConsumer } from './rabbitmq/consumer.ts';
import { declareQueue, declareTopology } from './rabbitmq/declare.ts';
import { createPublisher } from './rabbitmq/publisher.ts';
import type { Topology } from './topology.ts';

export interface RabbitQueueOptions {
  /** amqp:// or amqps://, with credentials and vhost. */
  url: string;
  heartbeatSeconds: number;
  connectionTimeoutMs: number;
  topology: Topology;
  /** What an operator sees in the broker's list of connections. */
  connectionName: string;
  logger: Logger;
}

/**
 * The queue on RabbitMQ. Publishing and consuming have a connection each: a broker short of memory stops reading from those
 * that publish, and the acknowledgements of finished work must still reach it then.
 */
export function createRabbitQueue(options: RabbitQueueOptions): Queue {
  const { logger } = options;
  const topology: Topology = { exchanges: options.topology.exchanges, queues: [...options.topology.queues] };
  const prepare = (connection: ChannelModel) =>
    withChannel(connection, (channel) => declareTopology(channel, topology));
  const linkFor = (purpose: string) =>
    createLink({ ...options, name: `${options.connectionName} ${purpose}`, prepare });

  const publishing = linkFor('publish');
  const publisher = createPublisher({ link: publishing, topology, logger });
  const consumers = new Set<ReturnType<typeof createConsumer>>();
  let consuming: { link: Link; started: Promise<void> } | undefined;
  let stopping: Promise<void> | undefined;

  const stop = async () => {
    await Promise.all([...consumers].map((consumer) => consumer.stop()));
    await publisher.stop();
    await Promise.all([...consumers].map((consumer) => consumer.close()));
    await Promise.all([consuming?.link.stop(), publishing.stop()]);
  };

  return {
    start: async () => {
      await publishing.start();
      await publisher.start();
    },
    publish: publisher.publish,
    consume: async (queue, options, handler) => {
      // Only a process that consumes pays for the second connection.
      if (!consuming) {
        const link = linkFor('consume');
        consuming = { link, started: link.start() };
      }
      await consuming.started;
      const isRebuildable = topology.queues.some((declared) => declared.name === queue && declared.isRebuildable);
      const consumer = createConsumer({
        ...{ link: consuming.link, queue, isRebuildable, ...options, handler, logger },
      });
      consumers.add(consumer);
      await consumer.start();
      return consumer;
    },
    depth: async (queue) =>
      (await withChannel(connectionOf(publishing), (channel) => channel.checkQueue(queue))).messageCount,
    purge: async (queue) =>
      (await withChannel(connectionOf(publishing), (channel) => channel.purgeQueue(queue))).messageCount,
    declareQueue: async (queue) => {
      await withChannel(connectionOf(publishing), (channel) => declareQueue(channel, queue));
      // Declared again with the rest whenever the connection comes back.
      if (!topology.queues.some(({ name }) => name === queue.name)) topology.queues.push(queue);
    },
    health: () => {
      const reason = publishing.trouble ?? consuming?.link.trouble;
      return reason ? { healthy: false, driver: 'rabbitmq', reason } : { healthy: true, driver: 'rabbitmq' };
    },
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

function connectionOf(link: Link): ChannelModel {
  if (!link.connection) throw new Error(`the broker is away: ${link.trouble ?? 'not connected'}`);
  return link.connection;
}
