import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createEnvelope } from '../../../queue/envelope.ts';
import { type Delivery, type HandlerOutcome, PublishError } from '../../../queue/queue.ts';
import { waitFor } from '../../support/wait-for.ts';
import {
  collector,
  DEAD,
  EVENTS,
  holder,
  type QueueHarness,
  useFixture,
  WORK,
  workMessage,
  workMessages,
} from './conformance-fixture.ts';

export function describeDelivery(harness: QueueHarness): void {
  const fixture = useFixture(harness);
  const emptied = async (queue: { depth(name: string): Promise<number> }, name = WORK) =>
    waitFor(async () => (await queue.depth(name)) === 0, { what: `${name} to be empty` });

  describe('routing', () => {
    test('an envelope arrives as it was sent', async () => {
      const queue = await fixture.start();
      const message = workMessage({ text: 'Zürich \u0000 "quoted" 🦉', list: [1, null, { deep: true }] });
      const { handler, deliveries } = collector();

      await queue.consume(WORK, { prefetch: 1 }, handler);
      await queue.publish([message]);

      await waitFor(() => deliveries.length === 1);
      expect(deliveries[0]?.envelope).toEqual(message.envelope);
      expect(deliveries[0]).toMatchObject({ queue: WORK, redelivered: false });
      expect(deliveries[0]?.signal.aborted).toBe(false);
    });

    test('messages of one publisher arrive in order', async () => {
      const queue = await fixture.start();
      const messages = workMessages(200);
      const { handler, deliveries } = collector();

      await queue.publish(messages.slice(0, 100));
      await queue.publish(messages.slice(100));
      await queue.consume(WORK, { prefetch: 1 }, handler);

      await waitFor(() => deliveries.length === 200);
      expect(deliveries.map(({ envelope }) => envelope.id)).toEqual(
        messages.map(({ envelope }) => envelope.id),
      );
    });

    test('a topic exchange routes a message to every queue whose pattern matches, once', async () => {
      const { url } = await fixture.open();
      const queue = await fixture.start(url);
      const patterns: Record<string, string[]> = {
        one_word: ['job.*'],
        any_words: ['job.#'],
        twice: ['job.created', '*.created', '#'],
        other: ['lead.*'],
      };
      for (const [name, list] of Object.entries(patterns)) {
        await queue.declareQueue({ name, bindings: list.map((pattern) => ({ exchange: EVENTS, pattern })) });
      }
      // Another process, which has not declared these queues.
      const publisher = await fixture.start(url);
      const event = (routingKey: string) => ({ ...workMessage(), exchange: EVENTS, routingKey });

      await publisher.publish([event('job.created'), event('job.run.failed')]);

      const depths = () => Promise.all(Object.keys(patterns).map((name) => queue.depth(name)));
      await waitFor(async () => (await depths()).join() === '1,2,2,0', {
        what: 'every queue to have its share',
      });
    });

    test('an unroutable message is refused only if it is mandatory', async () => {
      const queue = await fixture.start();
      const unroutable = { ...workMessage(), exchange: EVENTS, routingKey: 'nobody.listens' };

      await expect(queue.publish([{ ...unroutable, mandatory: false }])).resolves.toBeUndefined();
      await expect(queue.publish([unroutable])).rejects.toThrow(PublishError);
      await expect(queue.publish([{ ...workMessage(), routingKey: 'no_such_queue' }])).rejects.toThrow(
        'no queue',
      );
      await expect(queue.publish([{ ...workMessage(), exchange: 'no_such_exchange' }])).rejects.toThrow(
        PublishError,
      );
      await expect(queue.publish([workMessage()])).resolves.toBeUndefined();
    });

    test('a message over the size limit is refused, and nothing of its batch is sent', async () => {
      const queue = await fixture.start();
      await expect(
        queue.publish([workMessage(), workMessage({ text: 'x'.repeat(200_000) })]),
      ).rejects.toThrow(RangeError);
      expect(await queue.depth(WORK)).toBe(0);
    });
  });

  describe('a service with a queue of its own', () => {
    const event = (routingKey: string) => ({
      ...workMessage(),
      exchange: EVENTS,
      routingKey,
      mandatory: false,
    });
    const bound = (name: string, pattern = 'job.*') => ({ name, bindings: [{ exchange: EVENTS, pattern }] });

    test('gets every event, beside other services that get it too', async () => {
      const { url } = await fixture.open();
      const publisher = await fixture.start(url);
      const services = [collector(), collector()];
      for (const [index, { handler }] of services.entries()) {
        const queue = await fixture.start(url);
        await queue.declareQueue(bound(`service_${index}`));
        await queue.consume(`service_${index}`, { prefetch: 1 }, handler);
      }
      const events = Array.from({ length: 50 }, () => event('job.created'));

      await publisher.publish([...events, event('lead.found')]);

      const sent = events.map(({ envelope }) => envelope.id);
      for (const { deliveries } of services) {
        await waitFor(() => deliveries.length >= 50);
        expect(deliveries.map(({ envelope }) => envelope.id)).toEqual(sent);
      }
    });

    test('gets what came during its downtime', async () => {
      const { url } = await fixture.open();
      const publisher = await fixture.start(url);
      const before = await fixture.start(url);
      await before.declareQueue(bound('service'));
      await before.stop();

      const missed = event('job.completed');
      await publisher.publish([missed]);

      const after = await fixture.start(url);
      await after.declareQueue(bound('service'));
      const { handler, deliveries } = collector();
      await after.consume('service', { prefetch: 1 }, handler);
      await waitFor(() => deliveries.length === 1);
      expect(deliveries[0]?.envelope).toEqual(missed.envelope);
      await emptied(after, 'service');
    });

    test('may have several processes and add bindings; each event goes to one of its processes', async () => {
      const { url } = await fixture.open();
      const publisher = await fixture.start(url);
      const heard = collector();
      for (const pattern of ['job.created', 'job.*']) {
        const queue = await fixture.start(url);
        await queue.declareQueue(bound('service', pattern));
        await queue.consume('service', { prefetch: 1 }, heard.handler);
      }
      const events = Array.from({ length: 20 }, (_, n) => event(n % 2 ? 'job.created' : 'job.failed'));

      await publisher.publish(events);

      await waitFor(() => heard.ids().size === 20);
      await emptied(publisher, 'service');
      expect(heard.deliveries).toHaveLength(20);
    });
  });

  describe('outcomes', () => {
    test('a dead-lettered message moves to the dead letters unchanged', async () => {
      const queue = await fixture.start();
      const message = workMessage({ n: 1 });
      const { handler, deliveries } = collector();

      await queue.consume(WORK, { prefetch: 1 }, async () => ({ kind: 'dead_letter', reason: 'test' }));
      await queue.consume(DEAD, { prefetch: 1 }, handler);
      await queue.publish([message]);

      await waitFor(() => deliveries.length === 1);
      expect(deliveries[0]?.envelope).toEqual(message.envelope);
      await emptied(queue);
    });

    test.each([
      ['no JSON', '{'],
      ['no envelope', '{"hello":1}'],
      ['empty', ''],
    ])('a body that does not parse (%s) is dead-lettered, and the consumer goes on', async (_name, body) => {
      const { url } = await fixture.open();
      const queue = await fixture.start(url);
      const { handler, deliveries } = collector();

      await harness.publishRaw(url, WORK, body);
      await queue.publish([workMessage()]);
      await queue.consume(WORK, { prefetch: 1 }, handler);

      await waitFor(() => deliveries.length === 1);
      await waitFor(async () => (await queue.depth(DEAD)) === 1, { what: 'the dead letter' });
    });

    test('a requeued message comes again, marked as redelivered', async () => {
      const queue = await fixture.start();
      const seen: boolean[] = [];
      const outcomes: HandlerOutcome[] = [{ kind: 'requeue' }, { kind: 'ack' }];

      await queue.consume(WORK, { prefetch: 1 }, async ({ redelivered }) => {
        seen.push(redelivered);
        return outcomes[seen.length - 1] ?? { kind: 'ack' };
      });
      await queue.publish([workMessage()]);

      await waitFor(() => seen.length === 2);
      expect(seen).toEqual([false, true]);
      await emptied(queue);
    });

    test('a handler that throws requeues its message', async () => {
      const queue = await fixture.start();
      let calls = 0;

      await queue.consume(WORK, { prefetch: 1 }, async () => {
        calls += 1;
        if (calls === 1) throw new Error('thrown by the test');
        return { kind: 'ack' };
      });
      await queue.publish([workMessage()]);

      await waitFor(() => calls === 2);
      await emptied(queue);
    });

    test('a message that is requeued for ever ends in the dead letters', async () => {
      const queue = await fixture.start();
      let calls = 0;

      await queue.consume(WORK, { prefetch: 1 }, async () => {
        calls += 1;
        return { kind: 'requeue' };
      });
      await queue.publish([workMessage()]);

      await waitFor(async () => (await queue.depth(DEAD)) === 1, { what: 'the dead letter' });
      // The first delivery and 20 more.
      expect(calls).toBe(21);
    });
  });

  describe('consumers', () => {
    test('prefetch 1 spreads work over three consumers', async () => {
      const { url } = await fixture.open();
      const counts = [0, 0, 0];
      for (const index of counts.keys()) {
        const queue = await fixture.start(url);
        await queue.consume(WORK, { prefetch: 1 }, async () => {
          counts[index] = (counts[index] ?? 0) + 1;
          await sleep(20);
          return { kind: 'ack' };
        });
      }
      const publisher = await fixture.start(url);
      await publisher.publish(workMessages(60));

      await waitFor(() => counts.reduce((sum, count) => sum + count) === 60);
      for (const count of counts) expect(count).toBeGreaterThanOrEqual(15);
    });

    test('no more handlers run at the same time than the prefetch allows', async () => {
      const queue = await fixture.start();
      let busy = 0;
      let most = 0;
      let done = 0;
      await queue.publish(workMessages(100));

      await queue.consume(WORK, { prefetch: 4 }, async () => {
        busy += 1;
        most = Math.max(most, busy);
        await sleep(2);
        busy -= 1;
        done += 1;
        return { kind: 'ack' };
      });

      await waitFor(() => done === 100);
      expect(most).toBe(4);
    });

    test('a consumer that stops takes no more, and its handlers finish and acknowledge', async () => {
      const { url } = await fixture.open();
      const queue = await fixture.start(url);
      await queue.publish(workMessages(5));
      const { handler, held, letGo } = holder();
      const consumer = await queue.consume(WORK, { prefetch: 2 }, handler);
      await waitFor(() => consumer.busy === 2);

      await consumer.stop();

      expect(consumer.busy).toBe(2);
      const rest = await fixture.start(url);
      await waitFor(async () => (await rest.depth(WORK)) === 3, { what: 'three messages left' });
      letGo();
      await waitFor(() => consumer.busy === 0);
      await queue.stop();
      const { handler: collect, deliveries, ids } = collector();
      await rest.consume(WORK, { prefetch: 10 }, collect);
      await waitFor(() => deliveries.length === 3);
      await emptied(rest);
      for (const { envelope } of held) expect(ids()).not.toContain(envelope.id);
    });

    test('a queue that stops requeues what its handlers have not finished', async () => {
      const { url } = await fixture.open();
      const queue = await fixture.start(url);
      await queue.publish(workMessages(3));
      const { handler, held, letGo } = holder();
      await queue.consume(WORK, { prefetch: 2 }, handler);
      await waitFor(() => held.length === 2);

      await queue.stop();
      await queue.stop();

      expect(held.every(({ signal }) => signal.aborted)).toBe(true);
      const other = await fixture.start(url);
      const { handler: collect, ids } = collector();
      await other.consume(WORK, { prefetch: 3 }, collect);
      await waitFor(() => ids().size === 3);
      letGo();
      await expect(queue.publish([workMessage()])).rejects.toThrow(PublishError);
    });

    test('a backlog of 10,000 messages drains, each of them once', async () => {
      const queue = await fixture.start();
      await queue.publish(workMessages(10_000));
      expect(await queue.depth(WORK)).toBe(10_000);
      const { handler, deliveries, ids } = collector();

      await queue.consume(WORK, { prefetch: 64 }, handler);

      await waitFor(() => ids().size === 10_000, { timeoutMs: 40_000 });
      await emptied(queue);
      expect(deliveries).toHaveLength(10_000);
    });

    test('messages are pushed as they come, not polled', async () => {
      const queue = await fixture.start();
      const other = createEnvelope({ ...workMessage().envelope });
      const took: number[] = [];
      await queue.consume(WORK, { prefetch: 1 }, async ({ envelope }: Delivery) => {
        took.push(performance.now() - Number(envelope.data.at));
        return { kind: 'ack' };
      });
      for (let n = 1; n <= 30; n += 1) {
        const envelope = { ...other, id: `latency-${n}`, data: { at: performance.now() } };
        await queue.publish([{ ...workMessage(), envelope }]);
        await waitFor(() => took.length === n, { everyMs: 2 });
      }
      const median = took.sort((a, b) => a - b)[15];
      expect(median).toBeLessThan(100);
    });
  });

  describe('inspection', () => {
    test('depth counts waiting messages and not those in flight; purge removes only waiting ones', async () => {
      const queue = await fixture.start();
      await queue.publish(workMessages(5));
      const { handler, held, letGo } = holder();
      const consumer = await queue.consume(WORK, { prefetch: 2 }, handler);
      await waitFor(() => held.length === 2);

      await waitFor(async () => (await queue.depth(WORK)) === 3, { what: 'a depth of 3' });
      await consumer.stop();
      expect(await queue.purge(WORK)).toBe(3);
      expect(await queue.depth(WORK)).toBe(0);
      letGo();
      await waitFor(() => consumer.busy === 0);
    });

    test('inspecting a queue that does not exist fails without side effects', async () => {
      const queue = await fixture.start();
      await expect(queue.depth('no_such_queue')).rejects.toThrow('no_such_queue');
      await queue.publish([workMessage()]);
      expect(await queue.depth(WORK)).toBe(1);
      expect(queue.health()).toEqual({ healthy: true, driver: harness.driver });
    });
  });
}
