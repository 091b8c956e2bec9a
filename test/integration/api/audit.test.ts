import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditEntry } from '../../../db/accounts/audit.ts';
import { prune } from '../../../db/prune.ts';
import { statement } from '../../../db/statement.ts';
import { expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const list = async (query: Record<string, string> = {}, key = api.adminKey): Promise<AuditEntry[]> => {
  const answer = await api.ask('GET', `/api/v1/audit?${new URLSearchParams(query)}`, { key });
  expect(answer.status).toBe(200);
  return answer.json.entries;
};
const actionsOn = async (target: string) => (await list({ target })).map(({ action }) => action);

describe('the audit log', () => {
  test('says who did what, with which key and from where', async () => {
    const { userId, keyId } = await api.addUser();
    const headers = { 'x-forwarded-for': '192.0.2.7', 'x-request-id': 'request-of-the-test' };
    await api.ask('DELETE', `/api/v1/keys/${keyId}`, { headers });
    const [revoked, issued, ...others] = await list({ target: keyId });
    expect(others).toEqual([]);
    expect(revoked).toEqual({
      id: expect.any(String),
      action: 'key.revoked',
      actor: {
        user_id: expect.any(String),
        email: 'admin@localhost',
        key_id: expect.any(String),
        key_prefix: api.adminKey.slice(0, 10),
        address: '192.0.2.7',
      },
      target: { kind: 'key', id: keyId, user_id: userId },
      details: { name: 'test', prefix: expect.stringMatching(/^le_.{7}$/) },
      request_id: 'request-of-the-test',
      created_at: expect.any(String),
    });
    expect(issued).toMatchObject({ action: 'key.issued', actor: { address: '127.0.0.1' } });
    expect(await actionsOn(userId)).toEqual(['user.created']);
  });

  test('has one entry for a key that is revoked twice, and none for what was refused', async () => {
    const { keyId } = await api.addUser();
    const other = await api.addUser();
    expect((await api.ask('DELETE', `/api/v1/keys/${keyId}`, { key: other.key })).status).toBe(404);
    for (let n = 0; n < 2; n += 1) await api.ask('DELETE', `/api/v1/keys/${keyId}`);
    expect(await actionsOn(keyId)).toEqual(['key.revoked', 'key.issued']);
  });

  test('never holds a key', async () => {
    const { key } = await api.addUser();
    const { text } = await api.ask('GET', '/api/v1/audit');
    expect(text).toContain(key.slice(0, 10));
    expect(text).not.toContain(key.slice(0, 12));
  });

  test('records what the installation does itself', async () => {
    const entries = await list({ action: 'key.issued' });
    expect(entries.at(-1)?.actor).toEqual({
      ...{ user_id: null, email: null, key_id: null, key_prefix: null, address: null },
    });
  });

  test('is filtered by each of its filters, and by several', async () => {
    const { userId, key, keyId } = await api.addUser();
    const issued = await api.ask('POST', '/api/v1/keys', { key, body: { name: 'own' } });
    const ids = async (query: Record<string, string>) =>
      (await list(query)).map(({ action, target }) => `${action} ${target.id}`);
    const own = [`key.issued ${issued.json.id}`];
    expect(await ids({ user_id: userId })).toEqual(own);
    expect(await ids({ key_id: keyId })).toEqual(own);
    expect(await ids({ key_id: keyId, action: 'key.issued', user_id: userId })).toEqual(own);
    expect(await ids({ key_id: keyId, action: 'key.revoked' })).toEqual([]);
    expect(await ids({ target: userId, action: 'user.created' })).toEqual([`user.created ${userId}`]);
    const [entry] = await list({ key_id: keyId });
    const at = String(entry?.created_at);
    expect(await ids({ key_id: keyId, created_before: at })).toEqual([]);
    expect(await ids({ key_id: keyId, created_after: at })).toEqual(own);
  });

  test('is paged, newest first, without gap or repetition', async () => {
    const all = (await list({ limit: '200' })).map(({ id }) => id);
    const paged: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? 'limit=3' : `limit=3&cursor=${cursor}`;
      const { json } = await api.ask('GET', `/api/v1/audit?${query}`);
      paged.push(...json.entries.map(({ id }: AuditEntry) => id));
      cursor = json.next_cursor;
    }
    expect(paged).toEqual(all);
  });

  test('shows others than an admin what they did themselves', async () => {
    const one = await api.addUser();
    const other = await api.addUser();
    await api.ask('POST', '/api/v1/keys', { key: one.key, body: { name: 'own' } });
    expect(await list({}, one.key)).toHaveLength(1);
    expect(await list({}, other.key)).toEqual([]);
    expect(await list({ target: one.keyId }, one.key)).toEqual([]);
    const answer = await api.ask('GET', `/api/v1/audit?user_id=${one.userId}`, { key: other.key });
    expectProblem(answer, 403, 'forbidden');
  });

  test.each(['action=everything', 'user_id=x', 'target=%00', 'created_after=now'])(
    'refuses a filter such as %s',
    async (query) => {
      expectProblem(await api.ask('GET', `/api/v1/audit?${query}`), 422, 'invalid_request');
    },
  );

  test('never changes', async () => {
    const change = api.database.query(statement('change_audit', `UPDATE audit_log SET action = 'x'`));
    await expect(change).rejects.toThrow('entries of the audit log never change');
  });

  test('is kept as long as it should be', async () => {
    const { userId } = await api.addUser();
    const old = statement(
      'old_audit',
      `INSERT INTO audit_log (created_at, action, target_kind, target_id, details)
       SELECT now() - days * interval '1 day', 'user.created', 'user', 'old-' || days, '{}'
       FROM unnest(ARRAY[9, 11]) AS days`,
    );
    await api.database.query(old);
    await prune(api.database, { retentionDays: 1, auditRetentionDays: 10, limit: 1000 });
    expect(await actionsOn('old-11')).toEqual([]);
    expect(await actionsOn('old-9')).toEqual(['user.created']);
    expect(await actionsOn(userId)).toEqual(['user.created']);
  });
});

describe('an admin and the job of another user', () => {
  test('reads, cancels and retries it, and the audit log says so', async () => {
    const { userId, key } = await api.addUser();
    const id = await api.submit({ urls: ['https://example.com/'] }, key);
    for (const part of ['', '', '/pages', '/leads', '/candidates', '/urls', '/events?format=json']) {
      const answer = await api.ask('GET', `/api/v1/jobs/${id}${part}`);
      expect({ part, status: answer.status }).toEqual({ part, status: 200 });
    }
    expect((await api.ask('GET', `/api/v1/jobs/${id}`)).json.user_id).toBe(userId);
    expect((await api.ask('POST', `/api/v1/jobs/${id}/cancel`)).json.status).toBe('cancelled');
    expect((await api.ask('POST', `/api/v1/jobs/${id}/retry`)).json.status).toBe('queued');
    expect(await actionsOn(id)).toEqual(['job.retried', 'job.cancelled', 'job.viewed']);
  });

  test('lists and cancels those of one user', async () => {
    const { userId, key } = await api.addUser();
    const id = await api.submit({ urls: ['https://example.com/'] }, key);
    const own = await api.submit();
    const listed = await api.ask('GET', `/api/v1/jobs?user_id=${userId}`);
    expect(listed.json.jobs.map(({ job_id }: { job_id: string }) => job_id)).toEqual([id]);
    const cancelled = await api.ask('POST', '/api/v1/jobs/cancel', { body: { user_id: userId } });
    expect(cancelled.json).toEqual({ cancelled: 1, job_ids: [id] });
    expect((await api.ask('GET', `/api/v1/jobs/${own}`)).json.status).toBe('queued');
  });

  test('has to be one: others get nothing of it, and a key without the scope neither', async () => {
    const { userId, key } = await api.addUser();
    const id = await api.submit({ urls: ['https://example.com/'] }, key);
    const other = await api.addUser();
    const body = { name: 'narrow', scopes: ['jobs:read', 'jobs:write'] };
    const narrow = (await api.ask('POST', '/api/v1/keys', { body })).json.key;
    for (const key of [other.key, narrow]) {
      expectProblem(await api.ask('GET', `/api/v1/jobs/${id}`, { key }), 404, 'not_found');
      expectProblem(await api.ask('POST', `/api/v1/jobs/${id}/cancel`, { key }), 404, 'not_found');
      expectProblem(await api.ask('GET', `/api/v1/jobs?user_id=${userId}`, { key }), 403, 'forbidden');
      const body = { user_id: userId };
      expectProblem(await api.ask('POST', '/api/v1/jobs/cancel', { key, body }), 403, 'forbidden');
    }
  });
});

test('deletions are in the audit log, each once', async () => {
  const { userId, key } = await api.addUser();
  const id = await api.submit({ urls: ['https://example.com/'] }, key);
  for (let n = 0; n < 2; n += 1) await api.ask('DELETE', `/api/v1/jobs/${id}`, { key });
  await api.ask('POST', '/api/v1/jobs/delete', { key, body: { status: 'failed' } });
  await api.ask('POST', '/api/v1/leads/delete', { key, body: { domain: 'example.com' } });
  await api.ask('POST', '/api/v1/leads/erase', { key, body: { email: 'person@example.com' } });
  const entries = await list({ user_id: userId });
  expect(entries.map(({ action }) => action)).toEqual([
    ...['lead.erased', 'lead.deleted', 'job.deleted', 'job.deleted'],
  ]);
  expect(await actionsOn(id)).toEqual(['job.deleted']);
  expect(JSON.stringify(entries)).not.toContain('person@');
});
