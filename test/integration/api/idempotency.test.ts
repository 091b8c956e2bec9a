import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { statement } from '../../../db/statement.ts';
import { expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

let keys = 0;
const aKey = () => `key-${++keys}`;

describe.each<[string, () => Record<string, unknown>, Record<string, unknown>]>([
  ['/users', () => ({ email: `u${keys}@example.com`, name: 'A' }), { name: 'B' }],
  ['/keys', () => ({ name: 'A' }), { name: 'B' }],
  ['/links', () => ({ url: 'https://example.com/' }), { url: 'https://example.com/other' }],
  ['/webhooks', () => ({ url: `https://example.com/${keys}` }), { description: 'another' }],
  ['/subscriptions', () => ({ events: ['job.failed'], channel: 'in_app' }), { events: ['*'] }],
  ['/jobs/scrape', () => ({ urls: ['https://example.com/'] }), { priority: 1 }],
])('POST %s under an idempotency key', (path, make, other) => {
  const post = (body: unknown, key: string) =>
    api.ask('POST', `/api/v1${path}`, { body, headers: { 'idempotency-key': key } });

  test('returns the first answer for the same body, whatever the order of its fields', async () => {
    const key = aKey();
    const body = make();
    const first = await post(body, key);
    expect([201, 202]).toContain(first.status);
    const again = await post(Object.fromEntries(Object.entries(body).reverse()), key);
    expect(again.status).toBe(first.status);
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
  });

  test('is a conflict with another body', async () => {
    const key = aKey();
    const body = make();
    await post(body, key);
    expectProblem(await post({ ...body, ...other }, key), 409, 'idempotency_conflict');
  });

  test('creates one resource, whichever request is first', async () => {
    const key = aKey();
    const body = make();
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(body, key)));
    for (const { json } of answers) expect(json).toEqual(answers[0]?.json);
  });

  test('is not consumed by a refused request', async () => {
    const key = aKey();
    expect((await post({ nothing: 'here' }, key)).status).toBe(422);
    expect([201, 202]).toContain((await post(make(), key)).status);
  });

  test('must be valid', async () => {
    const answer = await post(make(), 'a b');
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe('Idempotency-Key');
  });
});

test('a key is scoped to its user and route', async () => {
  const { key } = await api.addUser();
  const headers = { 'idempotency-key': aKey() };
  const body = { url: 'https://example.com/' };
  const mine = await api.ask('POST', '/api/v1/links', { body, headers });
  const theirs = await api.ask('POST', '/api/v1/links', { body, headers, key });
  const hook = await api.ask('POST', '/api/v1/webhooks', {
    body: { url: 'https://example.com/next' },
    headers,
  });
  expect([mine.status, theirs.status, hook.status]).toEqual([201, 201, 201]);
  expect(theirs.json.code).not.toBe(mine.json.code);
});

test('an answer with an API key is encrypted in the database, and unreadable for another key', async () => {
  const { userId, key } = await api.addUser();
  const headers = { 'idempotency-key': aKey() };
  const issued = await api.ask('POST', '/api/v1/keys', { body: { name: 'A' }, headers, key });
  const rows = await api.database.query<{ answer: string }>(
    statement('test_answers', 'SELECT answer FROM idempotent_answers WHERE user_id = $1'),
    [userId],
  );
  expect(rows).toHaveLength(1);
  for (const { answer } of rows) {
    expect(answer + Buffer.from(answer, 'base64').toString('latin1')).not.toContain(issued.json.key);
  }
  const other = await api.ask('POST', '/api/v1/keys', { body: { name: 'A' }, headers, key: issued.json.key });
  expectProblem(other, 409, 'idempotency_conflict');
});
