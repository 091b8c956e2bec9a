import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createKeyUse } from '../../../api/middleware/key-use.ts';
import { claimJobs } from '../../../db/jobs/claim.ts';
import { listWaiting, markDispatched } from '../../../db/jobs/dispatch.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { waitFor } from '../../support/wait-for.ts';
import { expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const JOBS = '/api/v1/jobs';
const statusWith = async (key: string, headers = {}) => (await api.ask('GET', JOBS, { key, headers })).status;
const editUser = (id: string, body: object) => api.ask('PATCH', `/api/v1/users/${id}`, { body });
const issue = async (body: object = {}, key = api.adminKey) => {
  const answer = await api.ask('POST', '/api/v1/keys', { key, body: { name: 'issued', ...body } });
  expect(answer.status).toBe(201);
  return answer.json;
};
const storyOf = async (target: string) => {
  const { json } = await api.ask('GET', `/api/v1/audit?target=${target}`);
  return json.entries.map(({ action }: { action: string }) => action);
};

describe('a user', () => {
  test('is changed by an admin, and each change is recorded', async () => {
    const { userId } = await api.addUser();
    const changed = await editUser(userId, { name: 'Grace', email: 'Grace@Example.com', role: 'read_only' });
    expect(changed.json).toMatchObject({ name: 'Grace', email: 'grace@example.com', role: 'read_only' });
    expect((await api.ask('GET', `/api/v1/users/${userId}`)).json).toEqual(changed.json);
    const { json } = await api.ask('GET', `/api/v1/audit?target=${userId}&action=user.changed`);
    expect(json.entries[0].details).toMatchObject({ role: { from: 'member', to: 'read_only' } });
    expectProblem(
      await editUser(userId, { email: 'ADMIN@localhost.example', role: 'user' }),
      422,
      'invalid_request',
    );
    expectProblem(await editUser(userId, {}), 422, 'invalid_request');
    const other = await api.addUser();
    expectProblem(await editUser(other.userId, { email: 'grace@example.com' }), 409, 'email_taken');
    expectProblem(await editUser('00000000-0000-4000-8000-000000000000', { name: 'x' }), 404, 'not_found');
  });

  test('learns who the key is and what it may', async () => {
    const { userId, key } = await api.addUser('read_only');
    const { json } = await api.ask('GET', '/api/v1/account', { key });
    expect(json.user).toMatchObject({ id: userId, role: 'read_only', disabled_at: null });
    expect(json.key.scopes).toContain('jobs:read');
    expect(json.key.scopes).not.toContain('jobs:write');
  });

  test('that is disabled is refused with each of its keys, and works again when it is enabled', async () => {
    const { userId, key } = await api.addUser();
    expect(await statusWith(key)).toBe(200);
    expect((await editUser(userId, { disabled: true })).json.disabled_at).not.toBeNull();
    expectProblem(await api.ask('GET', JOBS, { key }), 403, 'user_disabled');
    expect((await editUser(userId, { disabled: false })).json.disabled_at).toBeNull();
    expect(await statusWith(key)).toBe(200);
    expect(await storyOf(userId)).toEqual(['user.enabled', 'user.disabled', 'user.created']);
  });

  test('that is disabled starts no job, wherever it waits, until it is enabled', async () => {
    const { userId, key } = await api.addUser();
    const [waiting, onQueue] = [await api.submit(undefined, key), await api.submit(undefined, key)];
    const listed = async () =>
      (await listWaiting(api.database, new Map([[userId, 1000]]))).map(({ id }) => id);
    const claim = async (id: string) => {
      const [answer] = await claimJobs(api.database, { id: 'w', leaseMs: 1000 }, [{ id, attempt: 0 }]);
      return answer?.kind;
    };
    await markDispatched(api.database, [{ id: onQueue, attempt: 0, yieldCount: 0 }]);
    await editUser(userId, { disabled: true });
    expect(await claim(onQueue)).toBe('yielded');
    for (const id of [waiting, onQueue]) expect(await listed()).not.toContain(id);
    await editUser(userId, { disabled: false });
    await waitFor(async () => (await listed()).includes(onQueue));
    expect(await claim(onQueue)).toBe('claimed');
  });

  test('that is the last admin is neither demoted nor disabled', async () => {
    const { json } = await api.ask('GET', '/api/v1/account');
    const { id } = json.user;
    expectProblem(await editUser(id, { role: 'member' }), 409, 'last_admin');
    expectProblem(await editUser(id, { disabled: true }), 409, 'last_admin');
    const second = await api.addUser('admin');
    const [one, other] = await Promise.all([
      api.ask('PATCH', `/api/v1/users/${id}`, { body: { role: 'member' }, key: second.key }),
      editUser(second.userId, { role: 'member' }),
    ]);
    expect([one.status, other.status].sort()).toEqual([200, 409]);
    const { key, userId } =
      one.status === 200 ? { key: second.key, userId: id } : { key: api.adminKey, userId: second.userId };
    const body = { role: 'admin' };
    expect((await api.ask('PATCH', `/api/v1/users/${userId}`, { body, key })).status).toBe(200);
    await editUser(second.userId, { disabled: true });
  });
});

describe('a key', () => {
  test('is revoked with all that it made, and that these made, unless that is not wanted', async () => {
    const { key, keyId } = await api.addUser();
    const child = await issue({}, key);
    const grandchild = await issue({}, child.key);
    expect(grandchild.issued_by).toBe(child.id);
    const only = await issue({}, key);
    expect((await api.ask('DELETE', `/api/v1/keys/${only.id}?cascade=false`)).status).toBe(204);
    const revoked = await api.ask('DELETE', `/api/v1/keys/${keyId}`);
    expect(revoked.json.revoked).toBe(3);
    expect(revoked.json.key_ids.sort()).toEqual([keyId, child.id, grandchild.id].sort());
    for (const one of [key, child.key, grandchild.key]) {
      expectProblem(await api.ask('GET', JOBS, { key: one }), 401, 'key_revoked');
    }
    expect(await storyOf(grandchild.id)).toEqual(['key.revoked', 'key.issued']);
  });

  test('stays when the one that made it is revoked alone', async () => {
    const { key, keyId } = await api.addUser();
    const child = await issue({}, key);
    expect((await api.ask('DELETE', `/api/v1/keys/${keyId}?cascade=false`)).status).toBe(204);
    expect(await statusWith(child.key)).toBe(200);
  });

  test('issued while its maker is revoked is revoked too, or never there', async () => {
    const { key, keyId, userId } = await api.addUser();
    const made = Array.from({ length: 10 }, () =>
      api.ask('POST', '/api/v1/keys', { key, body: { name: 'racing' } }),
    );
    await api.ask('DELETE', `/api/v1/keys/${keyId}`);
    await Promise.all(made);
    const { json } = await api.ask('GET', '/api/v1/keys');
    const left = json.keys.filter(
      (one: { user_id: string; revoked_at: unknown }) => one.user_id === userId && !one.revoked_at,
    );
    expect(left).toEqual([]);
  });

  test('is rotated: both work during the overlap, with the same limits', async () => {
    const { userId } = await api.addUser();
    const expires_at = new Date(Date.now() + 3600_000).toISOString();
    const old = await issue({ user_id: userId, scopes: ['jobs:read', 'keys:write'], expires_at });
    const child = await issue({ scopes: ['jobs:read'] }, old.key);
    const rotated = await api.ask('POST', `/api/v1/keys/${old.id}/rotate`, {
      body: { overlap_seconds: 600 },
    });
    expect(rotated.status).toBe(201);
    expect(rotated.json).toMatchObject({ user_id: userId, scopes: ['jobs:read', 'keys:write'], expires_at });
    expect(Date.parse(rotated.json.rotated_from.expires_at)).toBeLessThanOrEqual(Date.now() + 601_000);
    expect([await statusWith(old.key), await statusWith(rotated.json.key)]).toEqual([200, 200]);
    expect(await storyOf(old.id)).toEqual(['key.rotated', 'key.issued']);
    // What the old key made hangs on the new one.
    const revoked = await api.ask('DELETE', `/api/v1/keys/${rotated.json.id}`);
    expect(revoked.json.key_ids).toContain(child.id);
  });

  test('that is rotated without an overlap ends at once', async () => {
    const { key, keyId } = await api.addUser();
    const rotated = await api.ask('POST', `/api/v1/keys/${keyId}/rotate`, {
      key,
      body: { overlap_seconds: 0 },
    });
    expectProblem(await api.ask('GET', JOBS, { key }), 401, 'key_expired');
    expect(await statusWith(rotated.json.key)).toBe(200);
    expectProblem(await api.ask('POST', `/api/v1/keys/${keyId}/rotate`), 409, 'key_state_conflict');
  });

  test('with fewer scopes does not get one with more by rotation or change', async () => {
    const { key, keyId, userId } = await api.addUser();
    const less = await issue({ user_id: userId, scopes: ['keys:write'] });
    expectProblem(await api.ask('POST', `/api/v1/keys/${keyId}/rotate`, { key: less.key }), 403, 'forbidden');
    const widen = await api.ask('PATCH', `/api/v1/keys/${less.id}`, {
      key: less.key,
      body: { scopes: ['jobs:read'] },
    });
    expectProblem(widen, 422, 'invalid_request');
    const all = await api.ask('PATCH', `/api/v1/keys/${less.id}`, { key: less.key, body: { scopes: null } });
    expect(all.json.scopes).toEqual(['keys:write']);
    const wider = await api.ask('PATCH', `/api/v1/keys/${less.id}`, { key, body: { scopes: ['jobs:read'] } });
    expect(wider.json.scopes).toEqual(['jobs:read']);
    expect(await statusWith(less.key)).toBe(200);
  });

  test('works from its addresses only, as trusted proxies tell them', async () => {
    const { userId } = await api.addUser();
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const bound = await issue({ user_id: userId, allowed_ips: ['192.0.2.0/24', '2001:db8::/32'] });
    for (const address of ['192.0.2.9', '::ffff:192.0.2.9', '2001:db8::7']) {
      expect(await statusWith(bound.key, from(address))).toBe(200);
    }
    const elsewhere = await api.ask('GET', JOBS, { key: bound.key, headers: from('198.51.100.1') });
    expectProblem(elsewhere, 403, 'address_not_allowed');
    // Forged by the client: the proxy wrote the last one.
    expect(await statusWith(bound.key, from('192.0.2.9, 198.51.100.1'))).toBe(403);
    const ask = (allowed_ips: string[]) =>
      api.ask('POST', '/api/v1/keys', {
        key: bound.key,
        headers: from('192.0.2.9'),
        body: { name: 'x', allowed_ips },
      });
    expectProblem(await ask(['0.0.0.0/0']), 422, 'invalid_request');
    expectProblem(await ask(['nowhere']), 422, 'invalid_request');
    expect((await ask(['192.0.2.128/25'])).json.allowed_ips).toEqual(['192.0.2.128/25']);
  });

  test('says when it was used, written apart from the request and once a minute', async () => {
    const { keyId } = await api.addUser();
    const lastUsed = async () => {
      const { json } = await api.ask('GET', '/api/v1/keys');
      return json.keys.find(({ id }: { id: string }) => id === keyId).last_used_at;
    };
    const use = createKeyUse(api.database, silentLogger, 20);
    try {
      for (let n = 0; n < 100; n += 1) use.record(keyId);
      await waitFor(async () => (await lastUsed()) !== null);
      const first = await lastUsed();
      use.record(keyId);
      await use.stop();
      expect(await lastUsed()).toBe(first);
    } finally {
      await use.stop();
    }
  });

  test('ends its streams when it is narrowed or its user is disabled', async () => {
    const { userId } = await api.addUser();
    const streams = await Promise.all(
      [0, 1].map(async () => {
        const issued = await issue({ user_id: userId });
        const response = await fetch(`${api.url}/api/v1/events`, { headers: { 'x-api-key': issued.key } });
        expect(response.status).toBe(200);
        return { id: issued.id, ended: response.text() };
      }),
    );
    const [narrowed, other] = streams;
    await api.ask('PATCH', `/api/v1/keys/${narrowed?.id}`, { body: { scopes: ['jobs:read'] } });
    await narrowed?.ended;
    await editUser(userId, { disabled: true });
    await other?.ended;
  });
});
