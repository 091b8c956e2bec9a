import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { EVENT_SCHEMAS, type EventType } from '../../../core/events/event-schemas.ts';
import { createEnvelope } from '../../../queue/envelope.ts';
import { DRIVERS } from '../../support/processes/fleet.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startNotifying, type TestNotifier } from './notifier-fixture.ts';

/** From a subscription to what arrives, on both drivers. */
describe.each(DRIVERS)('notifications on %s', (driver) => {
  let fixture: TestNotifier;
  beforeAll(async () => {
    fixture = await startNotifying({ driver });
  });
  afterAll(() => fixture.stop());

  test('a completed job is notified in the app and to a webhook, whose signature the public library verifies', async () => {
    const { key } = await fixture.api.addUser();
    await fixture.subscribe({ events: ['job.*'], channel: 'in_app' }, key);
    const { secret } = await fixture.subscribe(
      { events: ['job.completed'], channel: 'webhook', target: `${fixture.receiver.url}/first` },
      key,
    );
    const job = await fixture.end('completed', { metadata: { order: 7 } }, key);
    const [request] = await waitFor(
      () => {
        const seen = fixture.receiver.requests.filter(({ path }) => path === '/first');
        return seen.length > 0 && seen;
      },
      { what: 'the webhook' },
    );
    const verified = new Webhook(String(secret)).verify(
      String(request?.body),
      request?.headers as Record<string, string>,
    );
    expect(verified).toMatchObject({
      type: 'job.completed',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: { job_id: job, status: 'completed', metadata: { order: 7 } },
    });
    await fixture.settled();
    const { json } = await fixture.get('/notifications', key);
    expect(json.notifications.map(({ type }: { type: string }) => type)).toEqual([
      'job.completed',
      'job.started',
    ]);
    expect(json).toMatchObject({ unread_count: 2, next_cursor: null });
    expect(json.notifications[0]).toMatchObject({
      job_id: job,
      urgent: false,
      title: expect.stringMatching(/completed$/),
      read_at: null,
    });
  });

  test("a job's own webhook_url is notified of its end, and is an endpoint that can be queried", async () => {
    const { key } = await fixture.api.addUser();
    const url = `${fixture.receiver.url}/own`;
    const job = await fixture.end('failed', { webhook_url: url }, key);
    await fixture.settled();
    const { json } = await fixture.get('/webhooks', key);
    expect(json.webhooks).toMatchObject([{ url, paused_at: null }]);
    const [{ id }] = json.webhooks;
    const deliveries = (await fixture.get(`/webhooks/${id}/deliveries`, key)).json.deliveries;
    expect(deliveries).toMatchObject([
      { type: 'job.failed', job_id: job, status: 'delivered', attempts: [{ status: 204, error: null }] },
    ]);
    const requests = fixture.receiver.requests.filter(({ path }) => path === '/own');
    expect(requests.map(({ headers }) => headers['webhook-id'])).toEqual([deliveries[0].id]);
    const { secret } = (await fixture.get(`/webhooks/${id}/secret`, key)).json;
    new Webhook(secret).verify(String(requests[0]?.body), requests[0]?.headers as Record<string, string>);
  });

  test('a repeated event notifies once, and an unknown type is dropped', async () => {
    const { key, userId } = await fixture.api.addUser();
    await fixture.subscribe({ events: ['*'], channel: 'in_app' }, key);
    const job = await fixture.end('completed', {}, key);
    await fixture.settled();
    const before = (await fixture.get('/notifications', key)).json.notifications;
    const common = { version: '1.0', source: 'test', correlation_id: 'c', user_id: userId };
    const again = (type: string, id: string) => ({
      exchange: 'notifications',
      routingKey: type,
      envelope: createEnvelope({ ...common, id, type, data: { job_id: job } }),
    });
    await fixture.queue.publish([
      ...before.map((seen: { event_id: string }) => again('notification.job.completed', seen.event_id)),
      again('notification.job.sneezed', '0198c0de-0000-7000-8000-000000000001'),
    ]);
    await fixture.end('completed', {}, key);
    await fixture.settled();
    const after = (await fixture.get('/notifications', key)).json.notifications;
    expect(after).toHaveLength(before.length + 2);
    expect(await fixture.queue.depth('job_notifications.dead')).toBe(0);
  });

  test("users are not notified of their own cancel, but their server is; other users' jobs notify neither", async () => {
    const { key } = await fixture.api.addUser();
    const { key: otherUser } = await fixture.api.addUser();
    await fixture.subscribe({ events: ['*'], channel: 'in_app' }, key);
    await fixture.subscribe({ events: ['*'], channel: 'in_app' }, otherUser);
    await fixture.subscribe(
      { events: ['*'], channel: 'webhook', target: `${fixture.receiver.url}/cancel` },
      key,
    );
    const id = await fixture.api.submit({ urls: ['https://example.com/'] }, key);
    expect((await fixture.api.ask('POST', `/api/v1/jobs/${id}/cancel`, { key })).status).toBe(200);
    await fixture.settled();
    for (const who of [key, otherUser]) {
      expect((await fixture.get('/notifications', who)).json.notifications).toEqual([]);
    }
    const bodies = fixture.receiver.requests
      .filter(({ path }) => path === '/cancel')
      .map(({ body }) => JSON.parse(String(body)).type);
    expect(bodies.sort()).toEqual(['job.cancelled', 'job.created']);
  });

  test('an event that the database rejects becomes a dead letter and does not hold up others', async () => {
    const { key, userId } = await fixture.api.addUser();
    await fixture.subscribe({ events: ['job.completed'], channel: 'in_app' }, key);
    const type = 'notification.job.completed';
    const common = { type, version: '1.0', source: 'test', correlation_id: 'c' };
    const message = (id: string, user: string, data = {}) => ({
      exchange: 'notifications',
      routingKey: type,
      envelope: createEnvelope({ ...common, id, user_id: user, data }),
    });
    const good = ['0198c0de-0000-7000-8000-00000000000a', '0198c0de-0000-7000-8000-00000000000c'];
    // Postgres rejects JSON with half of a surrogate pair.
    const bad = message('0198c0de-0000-7000-8000-00000000000b', userId, { text: '\ud800', job_id: null });
    const filter = { error_codes: ['x'] };
    await fixture.subscribe({ events: ['job.completed'], channel: 'in_app', filter }, key);
    await fixture.queue.publish([message(good[0] ?? '', userId), bad, message(good[1] ?? '', userId)]);
    await fixture.settled();
    const seen = (await fixture.get('/notifications', key)).json.notifications;
    expect(seen.map(({ event_id }: { event_id: string }) => event_id).sort()).toEqual(good);
    await waitFor(async () => (await fixture.queue.depth('job_notifications.dead')) === 1, {
      what: 'the dead letter',
    });
    await fixture.queue.purge('job_notifications.dead');
  });

  test('the result of each notification is an event that any program can bind a queue to', async () => {
    const { key } = await fixture.api.addUser();
    const name = 'outcomes-of-the-test';
    await fixture.queue.declareQueue({
      name,
      bindings: ['notification.delivered', 'notification.failed'].map((pattern) => ({
        exchange: 'notifications',
        pattern,
      })),
    });
    fixture.receiver.answer(({ path }) => ({ status: path === '/refuses' ? 410 : 200 }));
    const events = ['job.completed'];
    await fixture.subscribe({ events, channel: 'in_app' }, key);
    await fixture.subscribe({ events, channel: 'webhook', target: `${fixture.receiver.url}/takes` }, key);
    await fixture.subscribe({ events, channel: 'webhook', target: `${fixture.receiver.url}/refuses` }, key);
    const job = await fixture.end('completed', {}, key);
    const seen: [string, unknown, unknown][] = [];
    const consumer = await fixture.queue.consume(name, { prefetch: 10 }, async ({ envelope }) => {
      const { channel, error, job_id } = envelope.data as {
        channel: string;
        error?: { code: string };
        job_id: string;
      };
      EVENT_SCHEMAS[envelope.type as EventType].parse(envelope.data);
      if (job_id === job) seen.push([envelope.type, channel, error?.code ?? null]);
      return { kind: 'ack' };
    });
    await waitFor(() => seen.length >= 3, { what: 'the three outcomes' });
    await consumer.stop();
    expect(seen.sort()).toEqual([
      ['notification.delivered', 'in_app', null],
      ['notification.delivered', 'webhook', null],
      ['notification.failed', 'webhook', 'gone'],
    ]);
  });

  test('filters match priority, metadata and error code', async () => {
    const { key } = await fixture.api.addUser();
    const events = ['job.completed', 'job.failed'];
    const filters = { min_priority: 5, metadata: { team: { name: 'a' } } };
    await fixture.subscribe({ events, channel: 'in_app', filter: filters }, key);
    await fixture.subscribe({ events, channel: 'in_app', filter: { error_codes: ['dns_failed'] } }, key);
    const metadata = { team: { name: 'a', size: 3 } };
    const wanted = [
      await fixture.end('completed', { priority: 5, metadata }, key),
      await fixture.end('failed', {}, key),
      await fixture.end('failed', { priority: 9, metadata }, key),
    ];
    await fixture.end('completed', { priority: 4, metadata }, key);
    await fixture.end('completed', { priority: 9, metadata: { team: { name: 'b' } } }, key);
    await fixture.end('completed', { priority: 9 }, key);
    await fixture.settled();
    const { json } = await fixture.get('/notifications', key);
    expect(json.notifications.map(({ job_id }: { job_id: string }) => job_id).sort()).toEqual(wanted.sort());
  });
});
