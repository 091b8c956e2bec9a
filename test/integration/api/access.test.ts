import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureBootstrapKey } from '../../../api/accounts/bootstrap-key.ts';
import { statement } from '../../../db/statement.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type Answer, expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const JOBS = '/api/v1/jobs';
const pathsOf = (answer: Answer) => answer.json.errors.map(({ path }: { path: string }) => path);

describe('an API key', () => {
  test.each([
    ['Authorization: Bearer', (key: string) => ({ authorization: `Bearer ${key}` })],
    ['Authorization: bearer', (key: string) => ({ authorization: `bearer ${key}` })],
    ['X-API-Key', (key: string) => ({ 'x-api-key': key })],
    [
      'X-API-Key beside a proxy’s Authorization',
      (key: string) => ({ 'x-api-key': key, authorization: 'Basic eDp5' }),
    ],
  ])('is taken as %s', async (_how, headers) => {
    expect((await api.ask('GET', JOBS, { key: null, headers: headers(api.adminKey) })).status).toBe(200);
  });

  test.each<[string, Record<string, string>]>([
    ['none', {}],
    ['an empty one', { authorization: 'Bearer ' }],
    ['a wrong one', { authorization: 'Bearer le_wrong' }],
    ['a wrong one in X-API-Key', { 'x-api-key': 'le_wrong' }],
    ['another scheme', { authorization: 'Basic eDp5' }],
  ])('is required: %s is not enough', async (_what, headers) => {
    const answer = await api.ask('GET', JOBS, { key: null, headers });
    expectProblem(answer, 401, 'unauthorized');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test('is required at the root path, before the body is parsed and before a path is known to exist', async () => {
    const none = { key: null };
    expectProblem(await api.ask('POST', '/jobs/scrape', { ...none, raw: '{' }), 401, 'unauthorized');
    expectProblem(await api.ask('POST', '/api/v1/jobs/scrape', { ...none, raw: '{' }), 401, 'unauthorized');
    expectProblem(await api.ask('GET', '/api/v1/nothing', none), 401, 'unauthorized');
  });

  test('that was revoked is refused from that moment on', async () => {
    const { key, keyId } = await api.addUser();
    expect((await api.ask('GET', JOBS, { key })).status).toBe(200);
    expect((await api.ask('DELETE', `/api/v1/keys/${keyId}`)).status).toBe(204);
    expectProblem(await api.ask('GET', JOBS, { key }), 401, 'key_revoked');
  });

  test('that was revoked by another process is refused within seconds', async () => {
    const { key, keyId } = await api.addUser();
    expect((await api.ask('GET', JOBS, { key })).status).toBe(200);
    await api.database.query(
      statement('revoke_apart', 'UPDATE api_keys SET revoked_at = now() WHERE id = $1'),
      [keyId],
    );
    await waitFor(async () => (await api.ask('GET', JOBS, { key })).status === 401, { timeoutMs: 4000 });
  });

  test('expires', async () => {
    const expiresAt = new Date(Date.now() + 1500).toISOString();
    const { json } = await api.ask('POST', '/api/v1/keys', {
      body: { name: 'short', expires_at: expiresAt },
    });
    expect((await api.ask('GET', JOBS, { key: json.key })).status).toBe(200);
    await waitFor(async () => (await api.ask('GET', JOBS, { key: json.key })).status === 401);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt) - 50);
  });

  test('is queried once, however many requests use it', async () => {
    const { key } = await api.addUser();
    const before = api.statements.length;
    await Promise.all(Array.from({ length: 20 }, () => api.ask('GET', JOBS, { key })));
    expect(api.statements.slice(before).filter((name) => name === 'find_keys')).toHaveLength(1);
  });
});

describe('guessing keys', () => {
  test('is throttled, and clients with a valid key behind the same address are not', async () => {
    const other = await startApi();
    try {
      const { key } = await other.addUser();
      expect((await other.ask('GET', JOBS, { key })).status).toBe(200);
      const guess = (n: number) => other.ask('GET', JOBS, { key: `le_guess_${n}` });
      for (let n = 0; n < 50; n += 1) expect((await guess(n)).status).toBe(401);
      const slowed = await guess(50);
      expectProblem(slowed, 429, 'rate_limited');
      expect(Number(slowed.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect((await other.ask('GET', JOBS, { key })).status).toBe(200);
      // Nor is one that this process has never seen.
      const { key: fresh } = await other.addUser();
      const [good, ...guesses] = await Promise.all([
        other.ask('GET', JOBS, { key: fresh }),
        ...Array.from({ length: 100 }, (_, n) => guess(100 + n)),
      ]);
      expect(good?.status).toBe(200);
      expect(guesses.filter(({ status }) => status !== 429)).toEqual([]);
    } finally {
      await other.stop();
    }
  });
});

describe('users', () => {
  test('are created and listed by an admin', async () => {
    const made = await api.ask('POST', '/api/v1/users', { body: { email: 'Ada@Example.com', name: 'Ada' } });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ email: 'ada@example.com', name: 'Ada', role: 'member' });
    const { json } = await api.ask('GET', '/api/v1/users');
    expect(json.users).toContainEqual(made.json);
  });

  test('have unique e-mail addresses', async () => {
    const body = { email: 'twice@example.com', name: 'Twice' };
    await api.ask('POST', '/api/v1/users', { body });
    const again = await api.ask('POST', '/api/v1/users', { body: { ...body, email: 'TWICE@example.com' } });
    expectProblem(again, 409, 'email_taken');
  });

  test('are hidden from other users', async () => {
    const { key } = await api.addUser();
    const body = { email: 'x@example.com', name: 'X' };
    expectProblem(await api.ask('POST', '/api/v1/users', { key, body }), 403, 'forbidden');
    expectProblem(await api.ask('GET', '/api/v1/users', { key }), 403, 'forbidden');
  });

  test('are refused if invalid', async () => {
    const answer = await api.ask('POST', '/api/v1/users', { body: { email: 'nobody', role: 'user' } });
    expectProblem(answer, 422, 'invalid_request');
    expect(pathsOf(answer).sort()).toEqual(['email', 'name', 'role']);
  });
});

describe('keys', () => {
  test('are shown once and listed without it', async () => {
    const made = await api.ask('POST', '/api/v1/keys', { body: { name: 'ci' } });
    expect(made.status).toBe(201);
    expect(made.headers.get('cache-control')).toBe('no-store');
    const { key, ...shown } = made.json;
    expect(key).toMatch(/^le_[\w-]{43}$/);
    expect(shown).toEqual({
      id: expect.any(String),
      name: 'ci',
      limits: {},
      prefix: key.slice(0, 10),
      user_id: expect.any(String),
      scopes: null,
      allowed_ips: null,
      issued_by: expect.any(String),
      created_at: expect.any(String),
      expires_at: null,
    });
    const list = await api.ask('GET', '/api/v1/keys');
    expect(list.json.keys).toContainEqual({ ...shown, revoked_at: null, last_used_at: null });
    expect(list.text).not.toContain(key);
    expect((await api.ask('GET', JOBS, { key })).status).toBe(200);
  });

  test('are created for others only by an admin', async () => {
    const { key, userId } = await api.addUser();
    const other = await api.addUser();
    const mine = await api.ask('POST', '/api/v1/keys', { key, body: { name: 'mine', user_id: userId } });
    expect(mine.json.user_id).toBe(userId);
    const theirs = { name: 'theirs', user_id: other.userId };
    expectProblem(await api.ask('POST', '/api/v1/keys', { key, body: theirs }), 403, 'forbidden');
    const nobodys = { name: 'x', user_id: '00000000-0000-4000-8000-000000000000' };
    const answer = await api.ask('POST', '/api/v1/keys', { body: nobodys });
    expectProblem(answer, 422, 'invalid_request');
    expect(pathsOf(answer)).toEqual(['user_id']);
  });

  test('expire no later than the key they were issued with', async () => {
    const { userId } = await api.addUser();
    const ends = new Date(Date.now() + 3600_000).toISOString();
    const issue = (body: object, key: string = api.adminKey) =>
      api.ask('POST', '/api/v1/keys', { key, body: { name: 'issued', ...body } });
    const { key, expires_at } = (await issue({ user_id: userId, expires_at: ends })).json;
    expect(expires_at).toBe(ends);

    expect((await issue({}, key)).json.expires_at).toBe(ends);
    const sooner = new Date(Date.now() + 1800_000).toISOString();
    expect((await issue({ expires_at: sooner }, key)).json.expires_at).toBe(sooner);
    const later = await issue({ expires_at: new Date(Date.now() + 7200_000).toISOString() }, key);
    expectProblem(later, 422, 'invalid_request');
    expect(pathsOf(later)).toEqual(['expires_at']);
  });

  test('are listed and revoked by their user', async () => {
    const { key, keyId, userId } = await api.addUser();
    const other = await api.addUser();
    const list = await api.ask('GET', '/api/v1/keys', { key });
    expect(list.json.keys.map((one: { user_id: string }) => one.user_id)).toEqual([userId]);
    const revoke = (id: string) => api.ask('DELETE', `/api/v1/keys/${id}`, { key });
    expectProblem(await revoke(other.keyId), 404, 'not_found');
    expectProblem(await revoke('nope'), 404, 'not_found');
    expect((await revoke(keyId)).status).toBe(204);
  });

  test.each(['2020-01-01T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59-14:00', 'tomorrow'])(
    'do not end at %s',
    async (expires_at) => {
      const answer = await api.ask('POST', '/api/v1/keys', { body: { name: 'x', expires_at } });
      expectProblem(answer, 422, 'invalid_request');
      expect(pathsOf(answer)).toEqual(['expires_at']);
    },
  );
});

test('a user’s requests are limited, independently of others’', async () => {
  const limited = await startApi({ rateLimit: 5 });
  try {
    const { key } = await limited.addUser();
    const answers = await Promise.all(Array.from({ length: 20 }, () => limited.ask('GET', JOBS, { key })));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThanOrEqual(5);
    for (const answer of refused) {
      expectProblem(answer, 429, 'rate_limited');
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect((await limited.ask('GET', JOBS)).status).toBe(200);
    await waitFor(async () => (await limited.ask('GET', JOBS, { key })).status === 200);
  } finally {
    await limited.stop();
  }
});

describe('the first admin’s key', () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = join(await mkdtemp(join(tmpdir(), 'leadengine-key-')), 'data');
  });
  afterAll(() => rm(join(dataDir, '..'), { recursive: true, force: true }));

  test('is created once by processes that start together, in a file that only its owner can read', async () => {
    const options = { dataDir, bootstrapApiKey: undefined };
    const starts = await Promise.all(
      Array.from({ length: 5 }, () => ensureBootstrapKey(api.database, options)),
    );
    const made = starts.flatMap((start) => start.created ?? []);
    expect(made).toHaveLength(1);
    const file = join(dataDir, 'api-key');
    expect(await readFile(file, 'utf8')).toBe(`${made[0]}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect((await api.ask('GET', '/api/v1/users', { key: made[0] })).status).toBe(200);
    expect(await ensureBootstrapKey(api.database, options)).toEqual({ file, created: null, isValid: true });
  });

  test('is the operator’s if configured', async () => {
    const bootstrapApiKey = 'an-operators-own-key';
    expect(await ensureBootstrapKey(api.database, { dataDir, bootstrapApiKey })).toEqual({
      file: null,
      created: null,
      isValid: true,
    });
    expect((await api.ask('GET', '/api/v1/users', { key: bootstrapApiKey })).status).toBe(200);
  });

  const set = (bootstrapApiKey: string | undefined) =>
    ensureBootstrapKey(api.database, { dataDir, bootstrapApiKey });
  const statusWith = async (key: string) => (await api.ask('GET', '/api/v1/users', { key })).status;

  test('revokes the one it replaces, and that one is valid again when it is configured again', async () => {
    const [first, second] = ['the-first-of-two-keys', 'the-second-of-two-keys'];
    await set(first);
    const issued = await api.ask('POST', '/api/v1/keys', { key: first, body: { name: 'mine' } });
    const other = issued.json.key;
    await set(second);
    // A process that has just checked a key caches the result for a moment.
    await waitFor(async () => (await statusWith(first)) === 401);
    expect([await statusWith(second), await statusWith(other)]).toEqual([200, 200]);
    await set(first);
    await waitFor(async () => (await statusWith(first)) === 200);
    await waitFor(async () => (await statusWith(second)) === 401);
  });

  test('that is generated revokes a configured one, but not those that other machines generated', async () => {
    const given = 'a-key-that-was-given';
    const elsewhere = { dataDir: join(dataDir, 'elsewhere'), bootstrapApiKey: undefined };
    await set(given);
    const { created } = await ensureBootstrapKey(api.database, elsewhere);
    await set(undefined);
    expect([await statusWith(given), await statusWith(String(created))]).toEqual([401, 200]);
  });

  test('stays revoked if an admin revoked it', async () => {
    const key = 'a-key-that-an-admin-revokes';
    await set(key);
    const { keys } = (await api.ask('GET', '/api/v1/keys', { key })).json;
    const { id } = keys.find(({ prefix }: { prefix: string }) => key.startsWith(prefix));
    await api.ask('DELETE', `/api/v1/keys/${id}`, { key });
    await set(key);
    expect(await statusWith(key)).toBe(401);
  });
});
