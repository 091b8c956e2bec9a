import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROLES, SCOPES, type Scope, scopesOf } from '../../../core/accounts/scopes.ts';
import { expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

/** Values that have each parameter's pattern and name nothing. */
const PARAMETERS: Record<string, string> = {
  id: '00000000-0000-4000-8000-000000000000',
  delivery: '00000000-0000-4000-8000-000000000000',
  code: 'nothing1',
  file: 'pages.csv',
  token: 'nothing',
  position: '0',
  lead: '1',
  name: 'nothing.png',
};
const addressOf = (path: string) => path.replace(/:(\w+)/g, (_, name: string) => String(PARAMETERS[name]));

const issue = async (body: object, key = api.adminKey): Promise<string> => {
  const answer = await api.ask('POST', '/api/v1/keys', { key, body: { name: 'scoped', ...body } });
  expect(answer.status).toBe(201);
  return answer.json.key;
};

describe('each declared route', () => {
  /** What each route needed and answered, with a key that has these scopes. */
  const callAll = (key: string | null) =>
    Promise.all(
      api.routes.map(async ({ method, path, needs }) => {
        const { status, json } = await api.ask(method, addressOf(path), {
          key,
          headers: { accept: 'application/json' },
        });
        const missing: unknown = json?.missing_scope ?? null;
        return { route: `${method} ${path}`, needs, status, missing };
      }),
    );

  const expectOnly = async (key: string, scopes: readonly Scope[]) => {
    for (const { route, needs, status, missing } of await callAll(key)) {
      const allowed = needs === 'nothing' || scopes.includes(needs);
      if (allowed) expect({ route, missing, refused: [401, 403].includes(status) }).toEqual(permitted(route));
      else expect({ route, status, missing }).toEqual({ route, status: 403, missing: needs });
    }
  };
  const permitted = (route: string) => ({ route, missing: null, refused: false });

  test.each(ROLES)('is open to the role %s only if the role has the scope', async (role) => {
    const { key } = await api.addUser(role);
    await expectOnly(key, scopesOf(role, null));
  });

  test.each(SCOPES)('is open to a key with nothing but %s only if it needs that', async (scope) => {
    await expectOnly(await issue({ scopes: [scope] }), [scope]);
  });

  test('needs a key, but for those that say they need nothing', async () => {
    for (const { route, needs, status } of await callAll(null)) {
      expect({ route, refused: status === 401 }).toEqual({ route, refused: needs !== 'nothing' });
    }
  });

  test('needs a known scope, and each scope is there for some route', () => {
    const needed = new Set(api.routes.map(({ needs }) => needs));
    expect([...needed].sort()).toEqual([...SCOPES, 'nothing'].sort());
  });
});

describe('a scope', () => {
  test('is checked before the body is read, and the answer names it', async () => {
    const key = await issue({ scopes: ['jobs:read'] });
    const answer = await api.ask('POST', '/jobs/scrape', { key, raw: '{' });
    expectProblem(answer, 403, 'forbidden');
    expect(answer.json).toMatchObject({
      missing_scope: 'jobs:write',
      detail: 'expected the scope jobs:write, which this API key does not have',
    });
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer realm="leadengine", error="insufficient_scope", scope="jobs:write"',
    );
  });

  test('that the role lacks is told apart from one that the key lacks', async () => {
    const { key } = await api.addUser('read_only');
    const answer = await api.ask('POST', '/api/v1/jobs/scrape', { key, body: {} });
    expect(answer.json.detail).toBe(
      'expected the scope jobs:write, which a user of the role read_only does not have',
    );
  });

  test('is required for what is everybody’s, even in a call that needs less for one’s own', async () => {
    const key = await issue({ scopes: ['jobs:read'] });
    for (const path of ['/api/v1/queue', '/api/v1/stats']) {
      expect((await api.ask('GET', path, { key })).status).toBe(200);
      const all = await api.ask('GET', `${path}?all=true`, { key });
      expectProblem(all, 403, 'forbidden');
      expect(all.json.missing_scope).toBe('admin');
    }
  });
});

describe('a key', () => {
  test('has the scopes asked for, in their order and once', async () => {
    const scopes = ['leads:read', 'jobs:read', 'leads:read'];
    const { json } = await api.ask('POST', '/api/v1/keys', { body: { name: 'two', scopes } });
    expect(json.scopes).toEqual(['jobs:read', 'leads:read']);
    const list = await api.ask('GET', '/api/v1/keys');
    expect(list.json.keys).toContainEqual(expect.objectContaining({ id: json.id, scopes: json.scopes }));
  });

  test('never has more than the key that issued it', async () => {
    const key = await issue({ scopes: ['keys:write', 'jobs:read'] });
    const ask = (body: object) => api.ask('POST', '/api/v1/keys', { key, body: { name: 'child', ...body } });
    expect((await ask({})).json.scopes).toEqual(['jobs:read', 'keys:write']);
    expect((await ask({ scopes: ['jobs:read'] })).json.scopes).toEqual(['jobs:read']);
    const more = await ask({ scopes: ['jobs:write'] });
    expectProblem(more, 422, 'invalid_request');
    expect(more.json.errors).toEqual([
      {
        path: 'scopes',
        message: 'expected scopes without jobs:write, which the key of this request does not have',
      },
    ]);
  });

  test('never has more than its user, whoever issued it', async () => {
    const { userId, key } = await api.addUser('read_only');
    const ask = (body: object) => api.ask('POST', '/api/v1/keys', { body: { name: 'theirs', ...body } });
    const more = await ask({ user_id: userId, scopes: ['jobs:read', 'links:write'] });
    expectProblem(more, 422, 'invalid_request');
    expect(more.json.detail).toContain('links:write, which a user of the role read_only does not have');
    expectProblem(await api.ask('POST', '/api/v1/keys', { key, body: { name: 'x' } }), 403, 'forbidden');
  });

  test('of an admin without the scope admin sees, issues and revokes only its own user’s', async () => {
    const { keyId, userId } = await api.addUser();
    const key = await issue({ scopes: ['account:read', 'keys:write'] });
    const { json } = await api.ask('GET', '/api/v1/keys', { key });
    expect(json.keys.map(({ id }: { id: string }) => id)).not.toContain(keyId);
    expectProblem(await api.ask('DELETE', `/api/v1/keys/${keyId}`, { key }), 404, 'not_found');
    const body = { name: 'theirs', user_id: userId };
    const issued = await api.ask('POST', '/api/v1/keys', { key, body });
    expectProblem(issued, 403, 'forbidden');
    expect(issued.json.missing_scope).toBe('admin');
  });

  test.each([[[]], [['everything']], ['jobs:read']])('has no scopes such as %j', async (scopes) => {
    expectProblem(
      await api.ask('POST', '/api/v1/keys', { body: { name: 'x', scopes } }),
      422,
      'invalid_request',
    );
  });
});
