import { createECDH, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decrypt } from 'http_ece';
import { startNotifying, type TestNotifier } from './notifier-fixture.ts';

/** Web Push, to a push service of our own that has the browser's keys and decrypts. */

let fixture: TestNotifier;
beforeAll(async () => {
  fixture = await startNotifying();
});
afterAll(() => fixture.stop());

/** What a browser creates when its user allows pushes. */
function browser(path: string) {
  const privateKey = createECDH('prime256v1');
  const p256dh = privateKey.generateKeys('base64url');
  const auth = randomBytes(16);
  return {
    subscription: {
      endpoint: `${fixture.receiver.url}${path}`,
      expirationTime: null,
      keys: { p256dh, auth: auth.toString('base64url') },
    },
    read: (body: Buffer) =>
      JSON.parse(
        String(decrypt(body, { version: 'aes128gcm', privateKey, authSecret: auth.toString('base64url') })),
      ),
  };
}
const received = (path: string) => fixture.receiver.requests.filter((request) => request.path === path);

test('a browser gets the notification encrypted for it, and the service can identify the sender', async () => {
  const { key } = await fixture.api.addUser();
  const { subscription, read } = browser('/push');
  await fixture.subscribe({ events: ['job.failed'], channel: 'push', target: subscription }, key);
  const job = await fixture.end('failed', {}, key);
  await fixture.settled();
  const [request] = received('/push');
  expect(request?.headers).toMatchObject({
    'content-encoding': 'aes128gcm',
    urgency: 'high',
    ttl: expect.stringMatching(/^\d+$/),
    authorization: expect.stringMatching(/^vapid t=ey[\w.-]+, k=[\w-]+$/),
  });
  expect(request?.headers.authorization).toContain(`k=${fixture.vapid.publicKey}`);
  expect(String(request?.body)).not.toContain(job);
  expect(read(request?.body ?? Buffer.alloc(0))).toMatchObject({
    type: 'job.failed',
    title: `Job ${job.slice(0, 8)} failed`,
    job_id: job,
    url: `https://leads.example/api/v1/jobs/${job}`,
  });
});

test('the public key is served, and is the same each time', async () => {
  const first = (await fixture.get('/push/public-key')).json.public_key;
  expect(Buffer.from(first, 'base64url')).toHaveLength(65);
  expect((await fixture.get('/push/public-key')).json.public_key).toBe(first);
});

test.each([404, 410])(
  'a subscription that is gone (%i) is deleted, and gets no more pushes',
  async (status) => {
    const { key } = await fixture.api.addUser();
    const path = `/gone-${status}`;
    fixture.receiver.answer((request) => ({ status: request.path === path ? status : 201 }));
    await fixture.subscribe(
      { events: ['job.completed'], channel: 'push', target: browser(path).subscription },
      key,
    );
    await fixture.subscribe(
      { events: ['job.completed'], channel: 'push', target: browser('/well').subscription },
      key,
    );
    await fixture.end('completed', {}, key);
    await fixture.settled();
    const left = (await fixture.get('/subscriptions', key)).json.subscriptions;
    expect(left.map(({ target }: { target: string }) => new URL(target).pathname)).toEqual(['/well']);
    await fixture.end('completed', {}, key);
    await fixture.settled();
    expect(received(path)).toHaveLength(1);
  },
);

test('a failing push service is retried', async () => {
  const { key } = await fixture.api.addUser();
  let failures = 1;
  fixture.receiver.answer(() => ({ status: failures-- > 0 ? 502 : 201 }));
  await fixture.subscribe(
    { events: ['job.completed'], channel: 'push', target: browser('/busy').subscription },
    key,
  );
  await fixture.end('completed', {}, key);
  await fixture.settled();
  expect(received('/busy')).toHaveLength(2);
});

test('unsubscribing ends the pushes', async () => {
  const { key } = await fixture.api.addUser();
  const target = browser('/left').subscription;
  const { id } = await fixture.subscribe({ events: ['*'], channel: 'push', target }, key);
  expect((await fixture.api.ask('DELETE', `/api/v1/subscriptions/${id}`, { key })).status).toBe(204);
  await fixture.end('completed', {}, key);
  await fixture.settled();
  expect(received('/left')).toEqual([]);
});
