import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { statement } from '../../../db/statement.ts';
import { type Receiver, startReceiver } from '../../support/servers/receiver.ts';
import { waitFor } from '../../support/wait-for.ts';
import { expectProblem } from '../api/api-fixture.ts';
import { startNotifying, type TestNotifier } from './notifier-fixture.ts';

/** Webhooks as their receiver and their owner see them. */

let fixture: TestNotifier;
beforeAll(async () => {
  fixture = await startNotifying();
});
afterAll(() => fixture.stop());
afterEach(() => fixture.receiver.answer({ status: 204 }));

/** A user with a webhook that is notified of completed jobs. */
async function subscribed(url: string) {
  const { key } = await fixture.api.addUser();
  const made = await fixture.subscribe({ events: ['job.completed'], channel: 'webhook', target: url }, key);
  return { key, webhook: String(made.webhook_id), secret: String(made.secret) };
}
const deliveriesOf = async (webhook: string, key: string) =>
  (await fixture.get(`/webhooks/${webhook}/deliveries`, key)).json.deliveries;
const received = (path: string) => fixture.receiver.requests.filter((request) => request.path === path);

describe('a receiver', () => {
  test('that fails at first gets the same message again, under one id', async () => {
    let failures = 2;
    fixture.receiver.answer(() => ({ status: failures-- > 0 ? 500 : 200, body: 'so it goes' }));
    const { key, webhook } = await subscribed(`${fixture.receiver.url}/again`);
    await fixture.end('completed', {}, key);
    await fixture.settled();
    const requests = received('/again');
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(requests.map(({ body }) => String(body))).size).toBe(1);
    const [delivery] = await deliveriesOf(webhook, key);
    expect(delivery).toMatchObject({
      id: requests[0]?.headers['webhook-id'],
      status: 'delivered',
      error: null,
    });
    expect(delivery.attempts.map(({ status }: { status: number }) => status)).toEqual([500, 500, 200]);
    expect(delivery.attempts[0]).toMatchObject({
      response: 'so it goes',
      duration_ms: expect.any(Number),
      error: { code: 'http_error' },
    });
  });

  test('that never accepts it makes it a dead letter, which an admin replays', async () => {
    fixture.receiver.answer({ status: 503 });
    const { key, webhook } = await subscribed(`${fixture.receiver.url}/dead`);
    await fixture.end('completed', {}, key);
    await fixture.settled();
    expect(received('/dead')).toHaveLength(3);
    expect(await deliveriesOf(webhook, key)).toMatchObject([
      { status: 'failed', error: { code: 'http_error', message: 'it answered 503' } },
    ]);
    const dead = (await fixture.get('/dead-letters?code=http_error')).json.dead_letters;
    expect(dead).toMatchObject([{ queue: 'webhook_notifications', code: 'http_error', job_id: null }]);
    await waitFor(async () => (await fixture.queue.depth('webhook_notifications.dead')) === 1, {
      what: 'the dead letter on its queue',
    });
    fixture.receiver.answer({ status: 200 });
    const replayed = await fixture.api.ask('POST', `/api/v1/dead-letters/${dead[0].id}/requeue`);
    expect([replayed.status, replayed.json]).toEqual([
      200,
      { job_id: null, delivery_id: dead[0].delivery_id, status: 'queued' },
    ]);
    await fixture.settled();
    expect(await deliveriesOf(webhook, key)).toMatchObject([{ status: 'delivered' }]);
    expect((await fixture.get('/dead-letters?code=http_error')).json.dead_letters).toEqual([]);
  });

  test('that redirects is not followed, and only the first kilobyte of an answer is kept', async () => {
    fixture.receiver.answer(({ path }) =>
      path === '/moved'
        ? { status: 302, headers: { location: '/elsewhere' } }
        : { status: 200, body: 'x'.repeat(5000) },
    );
    const moved = await subscribed(`${fixture.receiver.url}/moved`);
    const long = await subscribed(`${fixture.receiver.url}/long`);
    await fixture.end('completed', {}, moved.key);
    await fixture.end('completed', {}, long.key);
    await fixture.settled();
    expect(await deliveriesOf(moved.webhook, moved.key)).toMatchObject([
      { status: 'failed', error: { code: 'redirect_refused' } },
    ]);
    expect(received('/elsewhere')).toEqual([]);
    const [delivery] = await deliveriesOf(long.webhook, long.key);
    expect(delivery).toMatchObject({ status: 'delivered', attempts: [{ response: 'x'.repeat(1024) }] });
  });

  test('that answers 410 gets no more requests: the endpoint is paused and its owner notified, in the app and by mail', async () => {
    fixture.receiver.answer({ status: 410 });
    const { key, webhook } = await subscribed(`${fixture.receiver.url}/gone`);
    await fixture.end('completed', {}, key);
    await fixture.settled();
    expect(received('/gone')).toHaveLength(1);
    expect((await fixture.get(`/webhooks/${webhook}`, key)).json).toMatchObject({ paused_reason: 'gone' });
    const { notifications } = (await fixture.get('/notifications', key)).json;
    expect(notifications).toMatchObject([
      { type: 'webhook.paused', urgent: true, title: 'A webhook was paused' },
    ]);
    await waitFor(() => fixture.mailbox.mails.some(({ subject }) => subject === 'A webhook was paused'), {
      what: 'the mail to its owner',
    });
    // While it is paused nothing is queued for it; after a resume, new events are.
    await fixture.end('completed', {}, key);
    await fixture.settled();
    expect(await deliveriesOf(webhook, key)).toHaveLength(1);
    fixture.receiver.answer({ status: 200 });
    const resumed = await fixture.api.ask('PATCH', `/api/v1/webhooks/${webhook}`, {
      key,
      body: { paused: false },
    });
    expect(resumed.json).toMatchObject({ paused_at: null, paused_reason: null, failing_since: null });
    await fixture.end('completed', {}, key);
    await fixture.settled();
    expect(received('/gone')).toHaveLength(2);
  });

  test('that failed for days is paused by the next failure', async () => {
    fixture.receiver.answer({ status: 500 });
    const { key, webhook } = await subscribed(`${fixture.receiver.url}/days`);
    await fixture.end('completed', {}, key);
    await fixture.settled();
    expect((await fixture.get(`/webhooks/${webhook}`, key)).json).toMatchObject({
      paused_at: null,
      failing_since: expect.any(String),
    });
    const since = statement(
      'age_failing',
      "UPDATE webhooks SET failing_since = now() - interval '73 hours' WHERE id = $1",
    );
    await fixture.api.database.query(since, [webhook]);
    await fixture.end('completed', {}, key);
    await fixture.settled();
    expect((await fixture.get(`/webhooks/${webhook}`, key)).json).toMatchObject({ paused_reason: 'failing' });
    const [newest] = await deliveriesOf(webhook, key);
    expect(newest).toMatchObject({ status: 'failed' });
  });
});

describe('an owner', () => {
  test('redelivers one under the same id', async () => {
    const { key, webhook } = await subscribed(`${fixture.receiver.url}/redeliver`);
    await fixture.end('completed', {}, key);
    await fixture.settled();
    const [{ id }] = await deliveriesOf(webhook, key);
    const path = `/api/v1/webhooks/${webhook}/deliveries/${id}/redeliver`;
    expect((await fixture.api.ask('POST', path, { key })).status).toBe(202);
    await fixture.settled();
    expect(received('/redeliver').map(({ headers }) => headers['webhook-id'])).toEqual([id, id]);
    expect((await deliveriesOf(webhook, key))[0].attempts).toHaveLength(2);
    const otherUser = await fixture.api.addUser();
    expectProblem(await fixture.api.ask('POST', path, { key: otherUser.key }), 404, 'not_found');
  });

  test('rotates the secret: for a while receivers with the old and with the new one accept', async () => {
    const { key, webhook, secret } = await subscribed(`${fixture.receiver.url}/rotate`);
    const rotated = await fixture.api.ask('POST', `/api/v1/webhooks/${webhook}/rotate-secret`, { key });
    expect(rotated.json.secret).not.toBe(secret);
    await fixture.end('completed', {}, key);
    await fixture.settled();
    const [request] = received('/rotate');
    for (const known of [secret, rotated.json.secret]) {
      new Webhook(known).verify(String(request?.body), request?.headers as Record<string, string>);
    }
    const shown = await fixture.get(`/webhooks/${webhook}/secret`, key);
    expect(shown.json).toEqual({ secret: rotated.json.secret, old_secret: secret });
  });

  test('has one secret for all URLs of a receiver, known before the first message', async () => {
    const { key } = await fixture.api.addUser();
    const url = `${fixture.receiver.url}/receiver`;
    const call = (method: string, path: string, body?: object) =>
      fixture.api.ask(method, `/api/v1/webhooks${path}`, { key, ...(body ? { body } : {}) });
    const made = (await call('POST', '', { url })).json;
    await fixture.end('completed', { webhook_url: `${url}?job=1` }, key);
    await fixture.end('completed', { webhook_url: `${url}?job=2#part` }, key);
    await fixture.settled();
    const requests = fixture.receiver.requests.filter(({ path }) => path?.startsWith('/receiver?'));
    expect(requests).toHaveLength(2);
    for (const { body, headers } of requests) {
      new Webhook(made.secret).verify(String(body), headers as Record<string, string>);
    }
    const other = (await call('POST', '', { url: `${url}/other` })).json;
    expect(other.secret).not.toBe(made.secret);
    const ofReceiver = (await fixture.get('/webhooks', key)).json.webhooks.filter(
      ({ id }: { id: string }) => id !== other.id,
    );
    expect(ofReceiver).toHaveLength(3);
    const rotated = (await call('POST', `/${made.id}/rotate-secret`)).json;
    for (const { id } of ofReceiver) {
      const shown = (await call('GET', `/${id}/secret`)).json;
      expect(shown).toEqual({ secret: rotated.secret, old_secret: made.secret });
    }
    // The secret lives as long as one of them.
    await call('DELETE', `/${made.id}`);
    expect((await call('POST', '', { url })).json.secret).toBe(rotated.secret);
    for (const { id } of (await fixture.get('/webhooks', key)).json.webhooks) await call('DELETE', `/${id}`);
    expect((await call('POST', '', { url })).json.secret).not.toBe(rotated.secret);
  });
});

describe('an endpoint in the internal network', () => {
  let inside: Receiver;
  let guarded: TestNotifier;
  beforeAll(async () => {
    inside = await startReceiver();
    // The default installation: the internal network is blocked.
    guarded = await startNotifying({ egressAllow: [] });
  });
  afterAll(async () => {
    await guarded.stop();
    await inside.close();
  });

  const hosts = [
    '127.0.0.1',
    '2130706433',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '127.1',
    'localhost',
    'localhost.',
    'a.localhost',
    'user:password@127.0.0.1',
    'example.com@127.0.0.1',
    '[::1]',
    '[::]',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '127。0。0。1',
    '①②⑦.⓪.⓪.①',
    '169.254.169.254',
    '[fd00:ec2::254]',
    '10.0.0.1',
    '192.168.1.1',
    '100.64.0.1',
  ];

  test('is blocked in every spelling, at once and permanently, and its owner learns nothing of it', async () => {
    const { key } = await guarded.api.addUser();
    const { port } = new URL(inside.url);
    const webhooks = new Map<string, string>();
    for (const host of hosts) {
      const target = `http://${host}:${port}/inside`;
      const made = await guarded.subscribe({ events: ['job.completed'], channel: 'webhook', target }, key);
      webhooks.set(host, String(made.webhook_id));
    }
    await guarded.end('completed', {}, key);
    await guarded.settled();
    const outcomes = new Map<string, unknown[]>();
    for (const [host, id] of webhooks) {
      const [delivery] = (await guarded.get(`/webhooks/${id}/deliveries`, key)).json.deliveries;
      outcomes.set(host, [delivery?.status, delivery?.error?.code, delivery?.attempts.length]);
    }
    const refusedAtOnce = ['failed', 'egress_refused', 1];
    const unresolved = ['failed', 'dns_failed', 3];
    for (const [host, outcome] of outcomes) {
      // A name that this machine cannot resolve is not reached either.
      expect([host, outcome]).toEqual([host, host === 'a.localhost' ? expect.anything() : refusedAtOnce]);
    }
    expect([refusedAtOnce, unresolved]).toContainEqual(outcomes.get('a.localhost'));
    // Sending again cannot help, so it is not done unasked.
    const requeue = async (body: object) =>
      (await guarded.api.ask('POST', '/api/v1/dead-letters/requeue', { body })).json.delivery_ids.length;
    expect(await requeue({})).toBeLessThan(2);
    expect(await requeue({ code: 'egress_refused', limit: 1 })).toBe(1);
    const isRefused = ([host]: [string, string]) => outcomes.get(host)?.[1] === 'egress_refused';
    const refused = new Set([...webhooks].filter(isRefused).map(([, id]) => id)).size;
    // The one above may be on its way.
    expect(await requeue({ permanent: true })).toBeGreaterThanOrEqual(refused - 1);
    const listed = async () => (await guarded.get('/dead-letters?code=egress_refused&limit=200')).json;
    await waitFor(async () => (await listed()).dead_letters.length === refused, {
      what: 'all to fail again',
    });
    expect(inside.requests).toEqual([]);
  });

  test.each([
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'data:text/plain,hello',
    'javascript:1',
    '//example.com/',
    'x',
  ])('is not even stored where it is no web address: %s', async (target) => {
    const body = { events: ['*'], channel: 'webhook', target };
    const answer = await guarded.api.ask('POST', '/api/v1/subscriptions', { body });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe('target');
  });
});
