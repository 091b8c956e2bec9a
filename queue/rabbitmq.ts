import type { ChannelModel } from 'amqplib';
import type { Logger } from '../runtime/log/logger.ts';
import type { Queue } from './queue.ts';
import { withChannel } from './rabbitmq/channel.ts';
import { createRecoveringConnection, type RecoveringConnection } from './rabbitmq/connection.ts';
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
  /** Shown in the broker's list of connections. */
  connectionName: string;
  logger: Logger;
}

/**
 * The queue on RabbitMQ. Publishing and consuming have a connection each: a broker short of memory
 * stops reading from publishers, and the acknowledgements of finished work must still reach it
 * then.
 */
export function createRabbitQueue(options: RabbitQueueOptions): Queue {
  const { logger } = options;
  const topology: Topology = { exchanges: options.topology.exchanges, queues: [...options.topology.queues] };
  const prepare = (connection: ChannelModel) =>
    withChannel(connection, (channel) => declareTopology(channel, topology));
  const connectionFor = (purpose: string) =>
    createRecoveringConnection({ ...options, name: `${options.connectionName} ${purpose}`, prepare });

  const publishing = connectionFor('publish');
  const publisher = createPublisher({ connection: publishing, topology, logger });
  const consumers = new Set<ReturnType<typeof createConsumer>>();
  let consuming: { connection: RecoveringConnection; started: Promise<void> } | undefined;
  let stopping: Promise<void> | undefined;

  const stop = async () => {
    await Promise.all([...consumers].map((consumer) => consumer.stop()));
    await publisher.stop();
    await Promise.all([...consumers].map((consumer) => consumer.close()));
    await Promise.all([consuming?.connection.stop(), publishing.stop()]);
  };

  return {
    start: async () => {
      await publishing.start();
      await publisher.start();
    },
    publish: publisher.publish,
    consume: async (queue, options, handler) => {
      // Only a process that consumes opens the second connection.
      if (!consuming) {
        const connection = connectionFor('consume');
        consuming = { connection, started: connection.start() };
      }
      await consuming.started;
      const isRebuildable = topology.queues.some(
        (declared) => declared.name === queue && declared.isRebuildable,
      );
      const consumer = createConsumer({
        ...{ connection: consuming.connection, queue, isRebuildable, ...options, handler, logger },
      });
      consumers.add(consumer);
      await consumer.start();
      return consumer;
    },
    depth: async (queue) =>
      (await withChannel(requireConnection(publishing), (channel) => channel.checkQueue(queue))).messageCount,
    purge: async (queue) =>
      (await withChannel(requireConnection(publishing), (channel) => channel.purgeQueue(queue))).messageCount,
    declareQueue: async (queue) => {
      await withChannel(requireConnection(publishing), (channel) => declareQueue(channel, queue));
      // Redeclared with the rest on each reconnect.
      if (!topology.queues.some(({ name }) => name === queue.name)) topology.queues.push(queue);
    },
    health: () => {
      const reason = publishing.trouble ?? consuming?.connection.trouble;
      return reason ? { healthy: false, driver: 'rabbitmq', reason } : { healthy: true, driver: 'rabbitmq' };
    },
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

function requireConnection({ current, trouble }: RecoveringConnection): ChannelModel {
  if (!current) throw new Error(`the broker is away: ${trouble ?? 'not connected'}`);
  return current;
}
