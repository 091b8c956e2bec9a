import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { storePages } from '../../../db/jobs/run.ts';
import { fanOut } from '../../../db/notifications/fan-out.ts';
import { openArtifactFolder } from '../../../db/pages/artifacts.ts';
import { createPruner } from '../../../dispatch/pruner.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { aPage, begin, expectProblem, run, startApi, type TestApi } from '../api/api-fixture.ts';
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

const remove = (id: string, key: string, query = '') =>
  api.ask('DELETE', `/api/v1/jobs/${id}${query}`, { key });
const exists = async (id: string, key: string) =>
  (await api.ask('GET', `/api/v1/jobs/${id}`, { key })).status === 200;

describe('a deleted job', () => {
  test('is gone from every table and folder, and its deletion proves it by counts', async () => {
    const { key } = await api.addUser();
    const id = await markedJob(api, key, folder.store);
    // It was in all of these, or the test would prove nothing.
    expect(await tablesWith(api.database, MARKER)).toEqual([
      ...['artifacts', 'attempts', 'crawl_urls', 'dead_letters', 'deliveries', 'events', 'idempotency_keys'],
      ...[
        'idempotent_answers',
        'job_breakdowns',
        'jobs',
        'lead_candidates',
        'leads',
        'links',
        'notifications',
      ],
      ...['pages', 'queue.messages'],
    ]);
    expect(await folder.files()).toHaveLength(2);
    const { json: links } = await api.ask('GET', '/api/v1/links', { key });
    const share = `/share/${links.links[0].code}`;
    expect((await api.ask('GET', share, { key: null })).status).toBe(200);

    const planned = await remove(id, key, '?dry_run=true');
    expect(planned).toMatchObject({
      ...{
        status: 200,
        json: { dry_run: true, would_remove: { jobs: 1, pages: 1, leads: 1, artifacts: 2 } },
      },
    });
    const answer = await remove(id, key);
    expect(answer).toMatchObject({ status: 202, json: { kind: 'jobs', job_id: id, state: 'running' } });
    expect(answer.headers.get('location')).toBe(`/api/v1/deletions/${answer.json.deletion_id}`);
    expect(await exists(id, key)).toBe(false);
    expect((await api.ask('GET', share, { key: null })).status).toBe(404);
    expect((await remove(id, key)).json.deletion_id).toBe(answer.json.deletion_id);

    const proof = await completed(api, folder.store, answer.json.deletion_id);
    expect(proof.removed).toMatchObject({
      ...{
        jobs: 1,
        pages: 1,
        leads: 1,
        candidates: 2,
        urls: 1,
        artifacts: 2,
        artifact_folders: 1,
        shares: 1,
      },
      ...{ notifications: 3, deliveries: 1 },
    });
    expect(await tablesWith(api.database, MARKER)).toEqual([]);
    expect(await folder.files()).toEqual([]);
    expect((await remove(id, key)).status).toBe(204);
    expect((await api.ask('GET', share, { key: null })).status).toBe(404);
  });

  test('that runs is cancelled first, and its worker cannot bring it back', async () => {
    const { key, userId } = await api.addUser();
    const id = await api.submit(undefined, key);
    const job = await begin(api.database, id);
    const putPicture = (jobId: string) =>
      folder.store.put(
        { jobId, position: 0, name: 'a.png' },
        { contentType: 'image/png', body: Buffer.from('a') },
      );
    await openArtifactFolder(api.database, id);
    await putPicture(id);
    const { json: deletion } = await remove(id, key);
    const late = {
      ...{ position: 0, page: aPage(), artifacts: [] },
      ...{ progress: { done: 1, total: 1, message: null }, counts: { pages: 1, leads: 0, errors: 0 } },
    };
    expect(await storePages(api.database, job, [late])).toEqual({ kind: 'lost' });
    await completed(api, folder.store, deletion.deletion_id);
    expect(await storePages(api.database, job, [late])).toEqual({ kind: 'lost' });
    // Nor does an event that was on its way.
    await api.ask('POST', '/api/v1/subscriptions', { key, body: { events: ['job.*'], channel: 'in_app' } });
    const event = { id: crypto.randomUUID(), type: 'job.cancelled', user_id: userId, job_id: id, data: {} };
    await fanOut(
      api.database,
      [{ ...event, correlation_id: 'late', occurred_at: new Date(Date.now() + 1000).toISOString() }],
      { gatherMs: 0, apartMs: 0, urgentApartMs: 0 },
    );
    // The audit log says that it was deleted, and by whom.
    expect(await tablesWith(api.database, id)).toEqual([
      ...['artifact_folders', 'audit_log', 'deleted_jobs', 'deletions'],
    ]);
    // Nor a picture that its worker was writing: the folder is emptied again, an hour later.
    await putPicture(id);
    const prune = createPruner({
      ...{
        database: api.database,
        artifacts: folder.store,
        retentionDays: 30,
        auditRetentionDays: 365,
        logger: silentLogger,
      },
    });
    await prune();
    expect(await folder.files()).toHaveLength(1);
    await api.database.knex('artifact_folders').update({ empty_again_at: api.database.knex.fn.now() });
    await prune();
    expect(await folder.files()).toEqual([]);
    expect(await tablesWith(api.database, id)).toEqual(['audit_log', 'deleted_jobs', 'deletions']);
  });

  test('is not found by strangers, and by nobody if it never was', async () => {
    const { key } = await api.addUser();
    const other = await api.addUser();
    const id = await api.submit(undefined, key);
    expectProblem(await remove(id, other.key), 404, 'not_found');
    expectProblem(await remove(id, other.key, '?dry_run=true'), 404, 'not_found');
    expectProblem(await remove(crypto.randomUUID(), key), 404, 'not_found');
    expect(await exists(id, key)).toBe(true);
    // An admin deletes what is of others.
    const { json } = await remove(id, api.adminKey);
    await completed(api, folder.store, json.deletion_id);
    expectProblem(await remove(id, other.key), 404, 'not_found');
    expect((await remove(id, key)).status).toBe(204);
  });
});

describe('jobs by filter', () => {
  const removeMany = (body: unknown, key: string) => api.ask('POST', '/api/v1/jobs/delete', { key, body });

  test('those that match go, others stay', async () => {
    const { key } = await api.addUser();
    const done = [await api.submit({ urls: ['https://a.example/'] }, key), await api.submit(undefined, key)];
    for (const id of done) await run(api.database, id, { kind: 'completed' });
    const waiting = await api.submit(undefined, key);
    expect((await removeMany({ status: 'completed', dry_run: true }, key)).json).toEqual({
      ...{ dry_run: true, would_remove: { jobs: 2, pages: 0, leads: 0 } },
    });
    const { status, json } = await removeMany({ status: 'completed' }, key);
    expect({ status, planned: json.planned }).toEqual({
      status: 202,
      planned: { jobs: 2, pages: 0, leads: 0 },
    });
    expect((await completed(api, folder.store, json.deletion_id)).removed.jobs).toBe(2);
    const { json: left } = await api.ask('GET', '/api/v1/jobs', { key });
    expect(left.jobs.map((job: { job_id: string }) => job.job_id)).toEqual([waiting]);
  });

  test('no filter is refused, and the user of others is for admins', async () => {
    const { key, userId } = await api.addUser();
    for (const body of [{}, { dry_run: true }, { metadata: {} }]) {
      expectProblem(await removeMany(body, key), 422, 'invalid_request');
    }
    const id = await api.submit(undefined, key);
    const other = await api.addUser();
    expectProblem(await removeMany({ status: 'queued', user_id: userId }, other.key), 403, 'forbidden');
    const { json } = await removeMany({ status: 'queued', user_id: userId }, api.adminKey);
    await completed(api, folder.store, json.deletion_id);
    expect(await exists(id, key)).toBe(false);
  });

  test('a repeated request with its key is one deletion', async () => {
    const { key } = await api.addUser();
    const ask = () =>
      api.ask('POST', '/api/v1/jobs/delete', {
        ...{ key, body: { status: 'failed' }, headers: { 'idempotency-key': 'once' } },
      });
    const [first, second] = [await ask(), await ask()];
    expect([second.status, second.json]).toEqual([202, first.json]);
    const { json } = await api.ask('GET', '/api/v1/deletions', { key });
    expect(json.deletions).toHaveLength(1);
  });
});
