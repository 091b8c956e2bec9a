import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type LiveSocket, openLiveSocket } from '../../support/live-socket.ts';
import { openSse } from '../../support/sse.ts';
import { waitFor } from '../../support/wait-for.ts';
import { expectProblem, ledgerSettled, run, startApi, type TestApi } from '../api/api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ streams: { perUser: 3, beatMs: 100 } });
});
afterAll(() => api.stop());

const opened: LiveSocket[] = [];
afterEach(async () => {
  for (const socket of opened.splice(0)) {
    socket.close();
    await socket.closed;
  }
});

const connect = async (headers: Record<string, string> = {}, path = '/api/v1/live') => {
  const socket = await openLiveSocket(`${api.url}${path}`, headers);
  opened.push(socket);
  return socket;
};
const connectAs = async (key: string) => {
  const socket = await connect({ authorization: `Bearer ${key}` });
  await socket.until('ready');
  return socket;
};

describe('a client may connect', () => {
  test('with a key in the upgrade', async () => {
    const socket = await connect({ 'x-api-key': api.adminKey });
    await socket.until('ready');
  });

  test('with a key in its first message, as browsers must', async () => {
    const socket = await connect();
    socket.say({ authenticate: api.adminKey });
    await socket.until('ready');
    socket.say({ authenticate: api.adminKey });
    await socket.until('error');
    expect(socket.messages.at(-1)).toMatchObject({ status: 409, code: 'already_authenticated' });
  });

  test('not with a wrong key', async () => {
    await expect(connect({ authorization: 'Bearer wrong' })).rejects.toMatchObject({
      status: 401,
      problem: { code: 'unauthorized', status: 401 },
    });
    const socket = await connect();
    socket.say({ authenticate: 'wrong' });
    expect(await socket.closed).toBe(4401);
    expect(socket.messages).toMatchObject([{ type: 'error', status: 401, code: 'unauthorized' }]);
  });

  test('not with another message before its key', async () => {
    const socket = await connect();
    socket.say({ subscribe: {} });
    expect(await socket.closed).toBe(4401);
  });

  test('only on this path', async () => {
    await expect(connect({ 'x-api-key': api.adminKey }, '/api/v1/events')).rejects.toMatchObject({
      status: 404,
      problem: { code: 'not_found' },
    });
    const plain = await api.ask('GET', '/api/v1/live');
    expectProblem(plain, 426, 'upgrade_required');
  });

  test('up to the limit of connections', async () => {
    const { key } = await api.addUser();
    for (let n = 0; n < 3; n += 1) await connectAs(key);
    const socket = await connect({ authorization: `Bearer ${key}` });
    expect(await socket.closed).toBe(4429);
    expect(socket.messages).toMatchObject([{ type: 'error', status: 429, code: 'too_many_streams' }]);
  });

  test('until its key is revoked', async () => {
    const { key, keyId } = await api.addUser();
    const socket = await connectAs(key);
    await api.ask('DELETE', `/api/v1/keys/${keyId}`);
    expect(await socket.closed).toBe(4401);
  });
});

describe('a subscription', () => {
  test('sends the same events as the stream, in the same format', async () => {
    const { key } = await api.addUser();
    const stream = await openSse(`${api.url}/api/v1/events?type=job.*`, { key });
    const socket = await connectAs(key);
    socket.say({ subscribe: { id: 'all', types: ['job.*'] } });
    await socket.until('subscribed');
    expect(socket.messages.at(-1)).toEqual({
      type: 'subscribed',
      subscription: 'all',
      last_event_id: expect.stringMatching(/^\d+-\d+$/),
    });
    await waitFor(() => stream.lastEventId() !== '');
    const id = await api.submit(undefined, key);
    await run(api.database, id, { kind: 'completed' });
    await socket.until('event', 3);
    await stream.until(({ length }) => length === 3);
    expect(socket.events('all')).toEqual(stream.frames.map(({ data }) => data));
    stream.close();
  });

  test('to a job begins with its first event and ends with its last', async () => {
    const { key } = await api.addUser();
    const id = await api.submit(undefined, key);
    const socket = await connectAs(key);
    socket.say({ subscribe: { id: 'job', job_id: id } });
    await socket.until('event');
    await run(api.database, id, { kind: 'completed' });
    await socket.until('ended');
    expect(socket.events('job').map(({ type }) => type)).toEqual([
      'job.created',
      'job.started',
      'job.completed',
    ]);
    expect(socket.messages.at(-1)).toEqual({ type: 'ended', subscription: 'job' });
  });

  test('continues after a place, beside others on the same connection', async () => {
    const { key } = await api.addUser();
    for (let n = 0; n < 3; n += 1) await api.submit(undefined, key);
    await ledgerSettled(api.database);
    const all = (await api.ask('GET', '/api/v1/events?format=json', { key })).json.events;
    const socket = await connectAs(key);
    socket.say({ subscribe: { id: 'rest' }, last_event_id: all[2].cursor });
    socket.say({ subscribe: { id: 'done', types: ['job.completed'] }, last_event_id: all[0].cursor });
    await socket.until('event', 2);
    await run(api.database, all.at(-1).data.job_id, { kind: 'completed' });
    await socket.until('event', 5);
    expect(socket.events('rest').slice(0, 2)).toEqual(all.slice(3));
    expect(socket.events('rest').map(({ type }) => type)).toEqual([
      'job.created',
      'job.created',
      'job.started',
      'job.completed',
    ]);
    expect(socket.events('done').map(({ type }) => type)).toEqual(['job.completed']);
  });

  test('that was ended sends nothing more', async () => {
    const { key } = await api.addUser();
    const socket = await connectAs(key);
    socket.say({ subscribe: { id: 'one', types: ['job.*'] } });
    socket.say({ subscribe: { id: 'two', types: ['job.*'] } });
    await socket.until('subscribed', 2);
    socket.say({ unsubscribe: 'one' });
    await socket.until('unsubscribed');
    await api.submit(undefined, key);
    await socket.until('event');
    expect(socket.events('one')).toEqual([]);
    expect(socket.events('two').map(({ type }) => type)).toEqual(['job.created']);
  });

  test.each([
    ['no JSON', '{', 'malformed_json'],
    ['nothing known', { hello: 1 }, 'invalid_request'],
    ['an unknown type', { subscribe: { types: ['job.exploded'] } }, 'invalid_request'],
    ['a wrong place', { subscribe: { id: 'a' }, last_event_id: 'yesterday' }, 'invalid_request'],
    ['a place ahead', { subscribe: { id: 'a' }, last_event_id: '9000000000-1' }, 'invalid_request'],
    ['no job', { subscribe: { id: 'a', job_id: crypto.randomUUID() } }, 'not_found'],
  ])('that asks for %s is refused, and the connection goes on', async (_name, message, code) => {
    const { key } = await api.addUser();
    const socket = await connectAs(key);
    socket.say(message);
    await socket.until('error');
    expect(socket.messages.at(-1)).toMatchObject({ type: 'error', code, detail: expect.any(String) });
    socket.say({ subscribe: { id: 'a' } });
    await socket.until('subscribed');
  });

  test('to another user’s job is not found, and a name is unique', async () => {
    const { key } = await api.addUser();
    const id = await api.submit();
    const socket = await connectAs(key);
    socket.say({ subscribe: { id: 'theirs', job_id: id } });
    await socket.until('error');
    expect(socket.messages.at(-1)).toMatchObject({ subscription: 'theirs', status: 404, code: 'not_found' });
    socket.say({ subscribe: { id: 'mine' } });
    socket.say({ subscribe: { id: 'mine' } });
    await socket.until('error', 2);
    const errors = socket.messages.filter(({ type }) => type === 'error');
    expect(errors[1]).toMatchObject({ subscription: 'mine', status: 409, code: 'subscription_exists' });
  });
});

describe('a connection', () => {
  test('is pinged', async () => {
    const socket = await connectAs(api.adminKey);
    await waitFor(() => socket.pings() >= 3, { what: 'pings' });
  });

  test('is closed by a message over the size limit', async () => {
    const socket = await connectAs(api.adminKey);
    socket.say({ authenticate: 'x'.repeat(20_000) });
    expect(await socket.closed).toBe(1009);
  });

  test('is notified when its process stops', async () => {
    const stopping = await startApi();
    const socket = await openLiveSocket(`${stopping.url}/api/v1/live`, { 'x-api-key': stopping.adminKey });
    const unauthenticated = await openLiveSocket(`${stopping.url}/api/v1/live`);
    await socket.until('ready');
    await stopping.stop();
    expect(await socket.closed).toBe(1001);
    expect(await unauthenticated.closed).toBe(1001);
  });
});
