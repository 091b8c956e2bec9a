import { describe, expect, test } from '@jest/globals';
import amqp, { type Channel, type Message } from 'amqplib';
import { createRabbitQueue } from '../../../queue/rabbitmq.ts';
import { type Logger, silentLogger } from '../../../runtime/log/logger.ts';
import { createVhost } from '../../support/servers/broker.ts';
import { startRabbitmq } from '../../support/servers/rabbitmq.mjs';
import { waitFor } from '../../support/wait-for.ts';
import { describeQueue } from './conformance.ts';
import {
  collector,
  EVENTS,
  publishUntilStored,
  type QueueHarness,
  TEST_TOPOLOGY,
  useFixture,
  WORK,
  workMessage,
  workMessages,
} from './conformance-fixture.ts';

const createQueue = (url: string, topology = TEST_TOPOLOGY, logger: Logger = silentLogger) =>
  createRabbitQueue({
    url,
    topology,
    logger,
    heartbeatSeconds: 15,
    connectionTimeoutMs: 5000,
    connectionName: 'conformance',
  });

const harness: QueueHarness = {
  driver: 'rabbitmq',
  open: async () => {
    const vhost = await createVhost();
    return { url: vhost.url, close: vhost.drop };
  },
  openPrivate: async () => {
    const broker = await startRabbitmq();
    return {
      url: broker.url,
      close: broker.close,
      restart: async () => {
        await broker.stop();
        await broker.start();
      },
    };
  },
  createQueue,
  publishRaw: (url, queue, body) =>
    onChannel(
      url,
      async (channel) => void channel.sendToQueue(queue, Buffer.from(body), { persistent: true }),
    ),
};

describeQueue('RabbitMQ', harness);

describe('RabbitMQ alone', () => {
  const fixture = useFixture(harness);

  test('messages carry the properties that other programs look for', async () => {
    const { url } = await fixture.open();
    const queue = await fixture.start(url);
    const message = workMessage();
    await queue.publish([message]);

    const raw = await onChannel(url, (channel) => channel.get(WORK, { noAck: true }));

    const { envelope } = message;
    expect((raw as Message).properties).toMatchObject({
      deliveryMode: 2,
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      messageId: envelope.id,
      type: envelope.type,
      correlationId: envelope.correlation_id,
      timestamp: Math.floor(Date.parse(envelope.occurred_at) / 1000),
      appId: 'leadengine',
    });
  });

  test('a queue that somebody deletes is made again, and its consumers go on', async () => {
    const { url } = await fixture.open();
    const queue = await fixture.start(url);
    const { handler, ids } = collector();
    await queue.consume(WORK, { prefetch: 1 }, handler);
    await publishUntilStored(queue, [workMessage()]);

    await onChannel(url, (channel) => channel.deleteQueue(WORK));

    const messages = workMessages(3);
    await publishUntilStored(queue, messages);
    await waitFor(() => messages.every(({ envelope }) => ids().has(envelope.id)));
  });

  test('an exchange that somebody deletes is made again, though the broker closes the channel for it', async () => {
    const { url } = await fixture.open();
    const queue = await fixture.start(url);
    await queue.declareQueue({ name: 'listener', bindings: [{ exchange: EVENTS, pattern: '#' }] });

    await onChannel(url, (channel) => channel.deleteExchange(EVENTS));

    await publishUntilStored(queue, [{ ...workMessage(), exchange: EVENTS, routingKey: 'a.b' }]);
    expect(await queue.depth('listener')).toBe(1);
  });

  test('a wrong password does not keep a process from starting, and is named', async () => {
    const { url } = await fixture.open();
    const wrong = new URL(url);
    wrong.password = 'wrong';
    const { logger, logged } = recorder();
    const queue = createQueue(wrong.href, TEST_TOPOLOGY, logger);
    try {
      await queue.start();
      expect(queue.health().reason).toContain('ACCESS-REFUSED');
      await waitFor(() => logged('broker_refused').length === 1);
      expect(logged('broker_refused')[0]).toMatchObject({ level: 'error' });
    } finally {
      await queue.stop();
    }
  });

  test('a queue declared otherwise is named, and used once it is out of the way', async () => {
    const { url } = await fixture.open();
    await onChannel(url, (channel) => channel.assertQueue(WORK, { durable: true }));
    const { logger, logged } = recorder();
    const queue = createQueue(url, TEST_TOPOLOGY, logger);
    try {
      await queue.start();
      expect(queue.health()).toMatchObject({ healthy: false });
      expect(logged('broker_conflict')[0]?.reason).toContain(`'${WORK}'`);

      await onChannel(url, (channel) => channel.deleteQueue(WORK));
      await waitFor(() => queue.health().healthy);
      await queue.publish([workMessage()]);
    } finally {
      await queue.stop();
    }
  });

  test('connections that the operator closes come back', async () => {
    const broker = await startRabbitmq();
    try {
      const queue = fixture.createQueue(broker.url);
      await queue.start();
      const { handler, ids } = collector();
      await queue.consume(WORK, { prefetch: 1 }, handler);

      await broker.ctl('close_all_connections', 'test');
      await waitFor(() => !queue.health().healthy);

      const messages = workMessages(2);
      await publishUntilStored(queue, messages);
      await waitFor(() => messages.every(({ envelope }) => ids().has(envelope.id)));
      await queue.stop();
    } finally {
      await broker.close();
    }
  });

  test('a rebuildable queue whose process does not start is recreated', async () => {
    const broker = await startRabbitmq();
    try {
      const queues = TEST_TOPOLOGY.queues.map((queue) => ({ ...queue, isRebuildable: queue.name === WORK }));
      const queue = fixture.createQueue(broker.url, { ...TEST_TOPOLOGY, queues });
      await queue.start();
      // The broker goes on counting from here on this channel, though the queue anew begins at one.
      await queue.publish(workMessages(3));
      // As after some crashes of the broker: declared, but each consumer is answered 541.
      await broker.breakQueue(WORK);
      const { handler, ids } = collector();
      await queue.consume(WORK, { prefetch: 1 }, handler);

      const messages = workMessages(2);
      await publishUntilStored(queue, messages);
      await waitFor(() => messages.every(({ envelope }) => ids().has(envelope.id)));
      await queue.stop();
    } finally {
      await broker.close();
    }
  });

  test('while the broker is short of memory publishing is refused, and finished work is still acknowledged', async () => {
    const broker = await startRabbitmq();
    try {
      const queue = fixture.createQueue(broker.url);
      await queue.start();
      await queue.publish(workMessages(20));
      await broker.ctl('set_vm_memory_high_watermark', '0.00001');
      // The broker says so to a connection that tries.
      await expect(queue.publish([workMessage()])).rejects.toThrow();
      await waitFor(() => !queue.health().healthy);
      await expect(queue.publish([workMessage()])).rejects.toThrow('accepts no messages');

      const { handler, deliveries } = collector();
      await queue.consume(WORK, { prefetch: 1 }, handler);
      await waitFor(() => deliveries.length >= 20);

      await broker.ctl('set_vm_memory_high_watermark', '0.9');
      await waitFor(() => queue.health().healthy);
      await queue.publish([workMessage()]);
      await queue.stop();
    } finally {
      await broker.close();
    }
  });
});

async function onChannel<T>(url: string, work: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = await amqp.connect(url);
  try {
    const channel = await connection.createChannel();
    const result = await work(channel);
    await channel.close();
    return result;
  } finally {
    await connection.close();
  }
}

/** A logger that remembers. */
function recorder() {
  const lines: (Record<string, unknown> & { event: string })[] = [];
  const at =
    (level: string) =>
    (event: string, fields: Record<string, unknown> = {}) =>
      void lines.push({ ...fields, level, event });
  const logger: Logger = {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    with: () => logger,
  };
  return { logger, logged: (event: string) => lines.filter((line) => line.event === event) };
}
