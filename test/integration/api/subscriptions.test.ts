import { createECDH, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { statement } from '../../../db/statement.ts';
import { expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ smtpUrl: 'smtp://127.0.0.1:1' });
});
afterAll(() => api.stop());

const SUBSCRIPTIONS = '/api/v1/subscriptions';
const post = (body: unknown, key?: string) => api.ask('POST', SUBSCRIPTIONS, key ? { body, key } : { body });
const inApp = { events: ['job.completed'], channel: 'in_app' };
const keys = () => ({
  p256dh: createECDH('prime256v1').generateKeys('base64url'),
  auth: randomBytes(16).toString('base64url'),
});

describe('a subscription', () => {
  test('is created, shown, changed and deleted only by its owner', async () => {
    const { key } = await api.addUser();
    const otherUser = await api.addUser();
    const made = await post({ ...inApp, filter: { min_priority: 3 } }, key);
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      id: expect.any(String),
      ...inApp,
      filter: { min_priority: 3 },
      target: null,
      webhook_id: null,
      active: true,
      created_at: expect.any(String),
    });
    const path = `${SUBSCRIPTIONS}/${made.json.id}`;
    expect(made.headers.get('location')).toBe(path);
    expect((await api.ask('GET', path, { key })).json).toEqual(made.json);
    for (const method of ['GET', 'DELETE']) {
      expectProblem(await api.ask(method, path, { key: otherUser.key }), 404, 'not_found');
    }
    const body = { events: ['job.*', 'job.*'], active: false };
    expectProblem(await api.ask('PATCH', path, { key: otherUser.key, body }), 404, 'not_found');
    const changed = await api.ask('PATCH', path, { key, body });
    expect(changed.json).toMatchObject({ events: ['job.*'], active: false, filter: { min_priority: 3 } });
    expect((await api.ask('DELETE', path, { key })).status).toBe(204);
    expectProblem(await api.ask('GET', path, { key }), 404, 'not_found');
  });

  test('is listed newest first, page by page', async () => {
    const { key } = await api.addUser();
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.unshift((await post(inApp, key)).json.id);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor ? `&cursor=${cursor}` : '';
      const { json } = await api.ask('GET', `${SUBSCRIPTIONS}?limit=2${query}`, { key });
      seen.push(...json.subscriptions.map(({ id }: { id: string }) => id));
      cursor = json.next_cursor;
    }
    expect(seen).toEqual(ids);
  });

  test.each<[string, unknown, string[]]>([
    ['no channel', { events: ['*'] }, ['channel']],
    ['an event that is none', { ...inApp, events: ['job.sneezed'] }, ['events.0']],
    ['an event without notifications', { ...inApp, events: ['notification.delivered'] }, ['events.0']],
    ['no event', { ...inApp, events: [] }, ['events']],
    ['a target it has no use for', { ...inApp, target: 'x' }, ['target']],
    ['a field that is none', { ...inApp, chanel: 'email' }, ['chanel']],
    ['a filter that is none', { ...inApp, filter: { colour: 'red' } }, ['filter.colour']],
    ['a priority that is none', { ...inApp, filter: { min_priority: 10 } }, ['filter.min_priority']],
    ['no URL', { ...inApp, channel: 'webhook' }, ['target']],
    ['no address', { ...inApp, channel: 'email', target: 'nobody' }, ['target']],
    [
      'keys that are none',
      {
        ...inApp,
        channel: 'push',
        target: { endpoint: 'https://push.example/', keys: { p256dh: 'AAAA', auth: 'x!' } },
      },
      ['target.keys.p256dh', 'target.keys.auth'],
    ],
  ])('with %s is refused with the field', async (_what, body, paths) => {
    const answer = await post(body);
    expectProblem(answer, 422, 'invalid_request');
    expect([...new Set(answer.json.errors.map(({ path }: { path: string }) => path))]).toEqual(paths);
  });

  test('by push does not show its keys', async () => {
    const target = { endpoint: 'https://push.example/one', expirationTime: null, keys: keys() };
    const made = await post({ ...inApp, channel: 'push', target });
    expect(made.json.target).toBe(target.endpoint);
    expect(made.text).not.toContain(target.keys.auth);
  });

  test('by webhook creates an endpoint once, and shows its secret once', async () => {
    const { key } = await api.addUser();
    const body = { ...inApp, channel: 'webhook', target: 'https://example.com/hook' };
    const first = await post(body, key);
    const second = await post(body, key);
    expect(first.json.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(second.json.secret).toBeUndefined();
    expect(second.json.webhook_id).toBe(first.json.webhook_id);
    expectProblem(
      await api.ask('POST', '/api/v1/webhooks', { key, body: { url: body.target } }),
      409,
      'webhook_exists',
    );
  });

  test('is limited: a user has at most two hundred', async () => {
    const { key, userId } = await api.addUser();
    const many = statement(
      'subscribe_often',
      "INSERT INTO subscriptions (user_id, events, channel) SELECT $1, '{*}', 'in_app' FROM generate_series(1, 200)",
    );
    await api.database.query(many, [userId]);
    expectProblem(await post(inApp, key), 409, 'too_many_subscriptions');
  });
});

describe('mail', () => {
  test('goes to the address of the account; only an admin may set another', async () => {
    const { key } = await api.addUser();
    const { json } = await post({ ...inApp, channel: 'email' }, key);
    expect(json.target).toMatch(/^user\d+@example\.com$/);
    const elsewhere = { ...inApp, channel: 'email', target: 'Victim@Example.org' };
    expectProblem(await post(elsewhere, key), 403, 'forbidden');
    expect((await post(elsewhere)).json.target).toBe('victim@example.org');
  });

  test('needs a valid address: the first admin has none', async () => {
    const answer = await post({ ...inApp, channel: 'email' });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe('target');
  });

  test('is refused if there is no mail server', async () => {
    const without = await startApi();
    const body = { ...inApp, channel: 'email', target: 'somebody@example.org' };
    expectProblem(await without.ask('POST', SUBSCRIPTIONS, { body }), 409, 'email_not_configured');
    await without.stop();
  });
});

describe('notifications in the app', () => {
  test('are marked as read one by one or all at once, each by its owner', async () => {
    const { key, userId } = await api.addUser();
    const otherUser = await api.addUser();
    const store = statement(
      'store_notifications',
      `INSERT INTO notifications (user_id, event_id, type, urgent, data, occurred_at)
       SELECT $1, gen_random_uuid(), 'job.completed', false, '{}', now() - n * interval '1 s' FROM generate_series(1, 7) n`,
    );
    await api.database.query(store, [userId]);
    const list = async (query = '') => (await api.ask('GET', `/api/v1/notifications${query}`, { key })).json;
    const all = await list('?limit=5');
    expect([all.notifications.length, all.unread_count]).toEqual([5, 7]);
    const rest = await list(`?limit=5&cursor=${all.next_cursor}`);
    expect([rest.notifications.length, rest.next_cursor]).toEqual([2, null]);
    const path = `/api/v1/notifications/${all.notifications[0].id}`;
    expectProblem(await api.ask('POST', `${path}/read`, { key: otherUser.key }), 404, 'not_found');
    const first = await api.ask('POST', `${path}/read`, { key });
    const again = await api.ask('POST', `${path}/read`, { key });
    expect(again.json.read_at).toBe(first.json.read_at);
    const unread = await list('?unread=true');
    expect([unread.notifications.length, unread.unread_count]).toEqual([6, 6]);
    const done = await api.ask('POST', '/api/v1/notifications/read', { key });
    expect(done.json).toEqual({ read: 6, unread_count: 0 });
    expect((await list('?unread=true')).notifications).toEqual([]);
    expect((await list()).notifications).toHaveLength(7);
  });

  test.each(['?unread=yes', '?limit=0', '?cursor=x', '?colour=red'])(
    'refuse invalid queries: %s',
    async (query) => {
      expectProblem(await api.ask('GET', `/api/v1/notifications${query}`), 422, 'invalid_request');
    },
  );
});
