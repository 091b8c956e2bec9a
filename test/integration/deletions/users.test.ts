import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectProblem, startApi, type TestApi } from '../api/api-fixture.ts';
import {
  completed,
  createFolder,
  MARKER,
  markedJob,
  type TestFolder,
  tablesWith,
} from './deletion-fixture.ts';

let api: TestApi;
let folder: TestFolder;
beforeAll(async () => {
  [api, folder] = await Promise.all([startApi(), createFolder()]);
});
afterAll(async () => {
  await api.stop();
  await folder.remove();
});

const remove = (id: string, query = '', key = api.adminKey) =>
  api.ask('DELETE', `/api/v1/users/${id}${query}`, { key });

test('a deleted user is gone with all that is theirs, but for the audit log and the proof', async () => {
  const { key, userId } = await api.addUser();
  await markedJob(api, key, folder.store);
  const post = async (path: string, body: unknown) =>
    expect((await api.ask('POST', `/api/v1${path}`, { key, body })).status).toBe(201);
  await post('/links', { url: `https://example.com/${MARKER}` });
  await post('/webhooks', { url: `https://example.com/${MARKER}` });
  await post('/suppressions', { domain: `${MARKER}.de` });
  await post('/keys', { name: 'laptop', scopes: ['jobs:read'] });
  await post('/schedules', { every: 3600, job: { urls: [`https://example.com/${MARKER}`] } });

  const planned = (await remove(userId, '?dry_run=true')).json;
  expect(planned.would_remove).toMatchObject({ jobs: 1, pages: 1, keys: 2, links: 2, subscriptions: 1 });
  const { status, json } = await remove(userId);
  expect({ status, kind: json.kind, user: json.user_id }).toEqual({
    status: 202,
    kind: 'user',
    user: userId,
  });
  expect((await api.ask('GET', '/api/v1/jobs', { key })).status).toBe(401);
  expect((await remove(userId)).json.deletion_id).toBe(json.deletion_id);
  const { removed } = await completed(api, folder.store, json.deletion_id);
  expect(removed).toMatchObject({ users: 1, jobs: 1, keys: 2, links: 2, subscriptions: 1, suppressions: 1 });
  expect(removed.webhooks).toBeGreaterThan(0);
  expect((await remove(userId)).status).toBe(204);
  expect(await tablesWith(api.database, MARKER)).toEqual([]);
  expect(await tablesWith(api.database, userId)).toEqual(['audit_log', 'deletions']);
  expect(await folder.files()).toEqual([]);
  const { json: log } = await api.ask('GET', '/api/v1/audit?action=user.deleted');
  expect(log.entries).toEqual([expect.objectContaining({ details: { deletion_id: json.deletion_id } })]);
});

test('admins delete neither themselves nor the one that each start makes, and members nobody', async () => {
  const { json: users } = await api.ask('GET', '/api/v1/users');
  const first = users.users.find(({ email }: { email: string }) => email === 'admin@localhost');
  const { json: other } = await api.ask('POST', '/api/v1/users', {
    body: { email: 'second@example.com', name: 'Second', role: 'admin' },
  });
  const { json: key } = await api.ask('POST', '/api/v1/keys', { body: { name: 'a', user_id: other.id } });
  expectProblem(await remove(first.id), 409, 'own_user');
  expectProblem(await remove(first.id, '', key.key), 409, 'installation_admin');
  expectProblem(await remove(other.id, '', key.key), 409, 'own_user');
  expectProblem(await remove(crypto.randomUUID()), 404, 'not_found');
  expectProblem(await remove(first.id, '', (await api.addUser()).key), 403, 'forbidden');
});

/** A table that is new here belongs into db/deletions/remove-user.ts. */
test('every table with rows of a user is known to the deletion of users', async () => {
  const { rows } = await api.database.knex.raw(
    `SELECT table_name AS name FROM information_schema.columns
     WHERE column_name = 'user_id' AND table_schema = 'public' ORDER BY table_name`,
  );
  expect(rows.map(({ name }: { name: string }) => name)).toEqual([
    ...['api_keys', 'audit_log', 'dead_letters', 'deletions', 'deliveries', 'email_throttle', 'events'],
    ...['idempotency_keys', 'idempotent_answers', 'job_breakdowns', 'job_histograms', 'job_hourly', 'jobs'],
    ...[
      'leads',
      'links',
      'notifications',
      'request_rates',
      'schedules',
      'storage_usage',
      'subscriptions',
      'suppressions',
    ],
    ...['turn_changes', 'turns', 'usage_daily', 'webhook_receivers', 'webhooks'],
  ]);
});
