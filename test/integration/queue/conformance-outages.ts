import { describe, expect, test } from '@jest/globals';
import { PublishError } from '../../../queue/queue.ts';
import { waitFor } from '../../support/wait-for.ts';
import {
  collector,
  holder,
  publishUntilStored,
  type QueueHarness,
  useFixture,
  WORK,
  workMessage,
  workMessages,
} from './conformance-fixture.ts';

export function describeOutages(harness: QueueHarness): void {
  const fixture = useFixture(harness);

  describe('when a consumer dies', () => {
    test('its messages go to another within seconds, marked as redelivered', async () => {
      const { url } = await fixture.open();
      const queue = await fixture.start(url);
      const [message] = workMessages(1);
      if (!message) throw new Error('no message');
      const child = await fixture.startChild(url, { prefetch: 1 });
      await queue.publish([message]);
      await waitFor(() => child.got().length === 1, { what: 'the child to have the message' });
      const { handler, deliveries } = collector();
      await queue.consume(WORK, { prefetch: 1 }, handler);

      await child.kill();

      await waitFor(() => deliveries.length === 1, { timeoutMs: 5000, what: 'the redelivery' });
      expect(deliveries[0]).toMatchObject({ redelivered: true, envelope: message.envelope });
      await waitFor(async () => (await queue.depth(WORK)) === 0);
    });
  });

  describe('when the connection is cut', () => {
    test('a late acknowledgement does nothing: the message comes again, and no other is lost', async () => {
      const { url } = await fixture.open();
      const cable = await fixture.cable(url);
      const publisher = await fixture.start(url);
      const queue = await fixture.start(cable.url);
      const messages = workMessages(6);
      const first = holder();
      const { handler: collect, deliveries, ids } = collector();
      let held = 0;
      await queue.consume(WORK, { prefetch: 2 }, (delivery) => {
        held += 1;
        return held <= 2 ? first.handler(delivery) : collect(delivery);
      });
      await publisher.publish(messages);
      await waitFor(() => first.held.length === 2);

      cable.cut();
      await waitFor(() => first.held.every(({ signal }) => signal.aborted), { what: 'the signals' });
      cable.mend();
      await waitFor(() => queue.health().healthy, { what: 'the connection' });
      // Both places are still taken, so later deliveries come after the late acknowledgements.
      first.letGo();

      await waitFor(() => ids().size === 6, { what: 'all six, the two of before again' });
      await waitFor(async () => (await publisher.depth(WORK)) === 0);
      // The first two and four others, none of them twice: an acknowledgement on the wrong channel
      // would have lost one.
      const again = deliveries.filter(({ redelivered }) => redelivered).map(({ envelope }) => envelope.id);
      expect(again.sort()).toEqual(first.held.map(({ envelope }) => envelope.id).sort());
      expect(deliveries).toHaveLength(6);
    });

    test('again and again while publishing and consuming, nothing is lost', async () => {
      const { url } = await fixture.open();
      const publishing = await fixture.cable(url);
      const consuming = await fixture.cable(url);
      const publisher = await fixture.start(publishing.url);
      const queue = await fixture.start(consuming.url);
      const { handler, ids } = collector();
      await queue.consume(WORK, { prefetch: 8 }, handler);
      const sent = new Set<string>();
      let refused = 0;

      for (let round = 0; round < 60; round += 1) {
        const messages = workMessages(50);
        const stored = publisher.publish(messages);
        // In the middle of a batch, at another point of it each time.
        if (round % 20 === 5) setImmediate(() => publishing.cut());
        if (round % 20 === 15) setImmediate(() => consuming.cut());
        await stored.catch(async (error) => {
          expect(error).toBeInstanceOf(PublishError);
          refused += 1;
          publishing.mend();
          await publishUntilStored(publisher, messages);
        });
        publishing.mend();
        consuming.mend();
        for (const { envelope } of messages) sent.add(envelope.id);
      }

      await waitFor(() => ids().size === sent.size, { what: 'every message', timeoutMs: 30_000 });
      expect(ids()).toEqual(sent);
      expect(refused).toBeGreaterThan(0);
    });
  });

  describe('while the broker is away', () => {
    test('publishing is refused within seconds, and works again afterwards', async () => {
      const { url } = await fixture.open();
      const cable = await fixture.cable(url);
      const queue = await fixture.start(cable.url);
      const { handler, ids } = collector();
      await queue.consume(WORK, { prefetch: 1 }, handler);

      cable.cut();
      const since = Date.now();
      await expect(queue.publish([workMessage()])).rejects.toThrow(PublishError);
      expect(Date.now() - since).toBeLessThan(6000);
      await waitFor(() => !queue.health().healthy);
      expect(queue.health().reason).toEqual(expect.any(String));

      cable.mend();
      const mendedAt = Date.now();
      const messages = workMessages(3);
      await publishUntilStored(queue, messages);
      await waitFor(() => messages.every(({ envelope }) => ids().has(envelope.id)));
      expect(Date.now() - mendedAt).toBeLessThan(10_000);
      expect(queue.health()).toEqual({ healthy: true, driver: harness.driver });
    });

    test('a process starts all the same, and consumes once there is a broker', async () => {
      const { url } = await fixture.open();
      const cable = await fixture.cable(url);
      cable.cut();
      const queue = fixture.createQueue(cable.url);
      const { handler, deliveries } = collector();

      await queue.start();
      await queue.consume(WORK, { prefetch: 1 }, handler);
      expect(queue.health()).toMatchObject({ healthy: false, driver: harness.driver });

      cable.mend();
      await publishUntilStored(queue, [workMessage()]);
      await waitFor(() => deliveries.length === 1);
    });

    test('many publishers are refused, and none of them waits for ever', async () => {
      const { url } = await fixture.open();
      const cable = await fixture.cable(url);
      const queue = await fixture.start(cable.url);
      cable.cut();

      const since = Date.now();
      const outcomes = await Promise.allSettled(
        workMessages(2000).map((message) => queue.publish([message])),
      );

      expect(Date.now() - since).toBeLessThan(12_000);
      expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    });
  });

  describe('when the broker restarts', () => {
    test('messages and consumers survive', async () => {
      const backend = await fixture.openPrivate();
      const publisher = await fixture.start(backend.url);
      const before = workMessages(300);
      await publisher.publish(before);
      const queue = await fixture.start(backend.url);
      const { handler, ids } = collector();
      const slow = holder();
      let calls = 0;
      await queue.consume(WORK, { prefetch: 1 }, (delivery) => {
        calls += 1;
        return calls === 1 ? slow.handler(delivery) : handler(delivery);
      });
      await waitFor(() => slow.held.length === 1);

      await backend.restart();

      await waitFor(() => slow.held[0]?.signal.aborted, { what: 'the signal of the message in hand' });
      slow.letGo();
      const after = workMessages(100);
      await publishUntilStored(publisher, after);
      const all = [...before, ...after].map(({ envelope }) => envelope.id);
      await waitFor(() => all.every((id) => ids().has(id)), { what: 'every message' });
    });
  });
}
