import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { reportWorker } from '../../../db/jobs/run.ts';
import { begin, expectProblem, run, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const URLS = { urls: ['https://example.com/'] };
const RUN_LATER = { run_at: '2099-01-01T00:00:00Z' };
const FAILED = { kind: 'fail', error: { code: 'x', message: 'y' } } as const;

/** Four jobs of a new user, oldest first: failed, scheduled, queued, running. */
async function someJobs() {
  const { key } = await api.addUser();
  const failed = await api.submit({ ...URLS, metadata: { order: 7, shop: 'a' } }, key);
  await run(api.database, failed, FAILED);
  const scheduled = await api.submit({ ...URLS, ...RUN_LATER, metadata: { order: '7', shop: 'b' } }, key);
  const queued = await api.submit({ ...URLS, metadata: { order: 8, 'a.b': true } }, key);
  const running = await api.submit(URLS, key);
  await begin(api.database, running);
  const idsOf = async (query: string): Promise<string[]> => {
    const answer = await api.ask('GET', `/api/v1/jobs?${query}`, { key });
    expect(answer.status).toBe(200);
    return answer.json.jobs.map((job: { job_id: string }) => job.job_id);
  };
  return { key, failed, scheduled, queued, running, idsOf };
}

describe('a list of jobs', () => {
  test('can be filtered by states, newest first or oldest first', async () => {
    const { idsOf, failed, scheduled, queued, running } = await someJobs();
    expect(await idsOf('')).toEqual([running, queued, scheduled, failed]);
    expect(await idsOf('sort=created_at')).toEqual([failed, scheduled, queued, running]);
    expect(await idsOf('status=queued,failed')).toEqual([queued, failed]);
    expect(await idsOf('status=queued&status=failed&sort=created_at')).toEqual([failed, queued]);
    expect(await idsOf('status=completed,cancelled')).toEqual([]);
  });

  test('can be filtered by metadata, as text', async () => {
    const { idsOf, failed, scheduled, queued } = await someJobs();
    expect(await idsOf('metadata.order=7')).toEqual([scheduled, failed]);
    expect(await idsOf('metadata.order=7&metadata.shop=a')).toEqual([failed]);
    expect(await idsOf('metadata.order=7&status=scheduled')).toEqual([scheduled]);
    expect(await idsOf('metadata.a.b=true')).toEqual([queued]);
    expect(await idsOf('metadata.order=9')).toEqual([]);
  });

  test('can be filtered by metadata of any name', async () => {
    const { key } = await api.addUser();
    for (const name of ['', ' a ', 'a', 'constructor', 'metadata.a', 'Größe 😀']) {
      const id = await api.submit({ ...URLS, metadata: { [name]: 'here' } }, key);
      const query = new URLSearchParams({ [`metadata.${name}`]: 'here' });
      const { json } = await api.ask('GET', `/api/v1/jobs?${query}`, { key });
      expect(json.jobs.map((job: { job_id: string }) => job.job_id)).toEqual([id]);
    }
  });

  test('can be filtered by time', async () => {
    const { idsOf, key, queued, running } = await someJobs();
    const { json } = await api.ask('GET', `/api/v1/jobs/${queued}`, { key });
    expect(await idsOf(`created_after=${json.created_at}`)).toEqual([running, queued]);
    for (const offset of ['+00:00', '%2B00:00', '-00:00']) {
      const given = json.created_at.replace('Z', offset);
      expect(await idsOf(`created_after=${given}`)).toEqual([running, queued]);
    }
    expect(await idsOf(`created_before=${json.created_at}&created_after=${json.created_at}`)).toEqual([]);
  });

  test('continues page by page, in both directions and over several states', async () => {
    const { key, failed, scheduled, queued, running } = await someJobs();
    for (const [query, expected] of [
      ['sort=-created_at', [running, queued, scheduled, failed]],
      ['sort=created_at', [failed, scheduled, queued, running]],
      ['sort=created_at&status=failed,queued,running', [failed, queued, running]],
      ['status=failed,queued,running', [running, queued, failed]],
    ] as const) {
      const seen: string[] = [];
      for (let cursor = ''; ; ) {
        const { json } = await api.ask('GET', `/api/v1/jobs?limit=1&${query}${cursor}`, { key });
        seen.push(...json.jobs.map((job: { job_id: string }) => job.job_id));
        if (json.next_cursor === null) break;
        cursor = `&cursor=${json.next_cursor}`;
      }
      expect(seen).toEqual(expected);
    }
  });

  test('has the requested fields', async () => {
    const { key, running } = await someJobs();
    const { json } = await api.ask('GET', '/api/v1/jobs?fields=job_id,status&limit=1', { key });
    expect(json.jobs).toEqual([{ job_id: running, status: 'running' }]);
  });

  test.each([
    ['status=nope', 'status'],
    ['status=queued,nope', 'status'],
    ['fields=job_id,nope', 'fields'],
    ['sort=priority', 'sort'],
    ['created_after=yesterday', 'created_after'],
    ['created_after=%2B275760-09-13T00:00:00Z', 'created_after'],
    ['created_after=2026-01-31', 'created_after'],
    [`metadata.a=${'x'.repeat(2000)}`, 'metadata.a'],
    ['metadata.a=%00', 'metadata.a'],
    ['metadata.a%00=1', 'metadata.a'],
    ['metadata.__proto__=1', 'metadata.__proto__'],
    ['metadata.a=1&metadata.a=2', 'metadata.a'],
    ['__proto__=1', '__proto__'],
    ['limit=1&limit=2', 'limit'],
    ['limit[]=1', 'limit[]'],
    ['limit=%D9%A1', 'limit'],
    ['cursor=zzz', 'cursor'],
  ])('with an invalid query is refused: %s', async (query, path) => {
    const answer = await api.ask('GET', `/api/v1/jobs?${query}`);
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toContain(path);
  });
});

describe('many jobs are cancelled', () => {
  test('by a filter in the body or in the query, and only the user’s own', async () => {
    const { key, scheduled, queued, running } = await someJobs();
    const other = await api.submit({ ...URLS, metadata: { order: 7 } });
    const cancel = (body: unknown, query = '') =>
      api.ask('POST', `/api/v1/jobs/cancel${query}`, { key, ...(body === undefined ? {} : { body }) });
    expect((await cancel({ metadata: { order: '7' } })).json).toEqual({ cancelled: 1, job_ids: [scheduled] });
    expect((await cancel(undefined, '?status=queued')).json).toEqual({ cancelled: 1, job_ids: [queued] });
    expect((await cancel({ status: ['running', 'completed'] })).json).toEqual({
      cancelled: 1,
      job_ids: [running],
    });
    expect((await cancel({ created_after: '2020-01-01T00:00:00Z' })).json).toEqual({
      cancelled: 0,
      job_ids: [],
    });
    expect((await api.ask('GET', `/api/v1/jobs/${other}`)).json.status).toBe('queued');
    const { json } = await api.ask('GET', `/api/v1/jobs/${running}`, { key });
    expect(json.attempts.at(-1)).toMatchObject({ outcome: 'cancelled' });
  });

  test('by the thousand', async () => {
    const { key } = await api.addUser();
    const jobs = Array.from({ length: 1000 }, () => URLS);
    for (const _ of [1, 2])
      expect((await api.ask('POST', '/api/v1/jobs/batch', { body: { jobs }, key })).status).toBe(202);
    const { json } = await api.ask('POST', '/api/v1/jobs/cancel', { body: { status: 'queued' }, key });
    expect(json.cancelled).toBe(2000);
    expect(new Set(json.job_ids).size).toBe(2000);
  });

  test.each([{}, { status: 'nope' }, { statuses: 'queued' }, { metadata: { a: 1 } }, { metadata: {} }])(
    'but not by %j',
    async (body) => {
      expectProblem(await api.ask('POST', '/api/v1/jobs/cancel', { body }), 422, 'invalid_request');
    },
  );
});

test('a query without a usable filter cancels none', async () => {
  const { key, queued } = await someJobs();
  for (const query of ['metadata.__proto__=1', '__proto__=1', 'metadata=', 'metadata']) {
    const answer = await api.ask('POST', `/api/v1/jobs/cancel?${query}`, { key });
    expectProblem(answer, 422, 'invalid_request');
  }
  expect((await api.ask('GET', `/api/v1/jobs/${queued}`, { key })).json.status).toBe('queued');
});

describe('the queue', () => {
  test('is shown with its longest waiting job', async () => {
    const { key, queued } = await someJobs();
    const { json } = await api.ask('GET', '/api/v1/queue', { key });
    expect(json).toMatchObject({
      scope: 'own',
      waiting: 1,
      running: 1,
      jobs_by_state: { scheduled: 1, queued: 1, running: 1, retrying: 0 },
      oldest_waiting: { job_id: queued, waiting_seconds: expect.any(Number) },
    });
    expectProblem(await api.ask('GET', '/api/v1/queue?all=true', { key }), 403, 'forbidden');
    expect((await api.ask('GET', '/api/v1/queue?all=true')).json).toMatchObject({ scope: 'all' });
  });

  test('and the workers are shown with their running jobs', async () => {
    const { key, running } = await someJobs();
    const sandbox = 'the worker runs as root';
    await reportWorker(api.database, { id: 'worker-of-the-tests', slots: 4, claimsPerSecond: 0, sandbox });
    const { json } = await api.ask('GET', '/api/v1/workers');
    expect(json.workers).toMatchObject([
      { id: 'worker-of-the-tests', slots: 4, sandbox, last_heartbeat_at: expect.any(String) },
    ]);
    expect(json.workers[0].current_jobs).toContainEqual(
      expect.objectContaining({ job_id: running, attempt: 1 }),
    );
    expect((await api.ask('GET', '/api/v1/queue')).json).toMatchObject({ workers: 1, slots: 4 });
    expect((await api.ask('GET', '/health', { key: null })).json).toEqual({
      status: 'ready',
      queue: { status: 'healthy', driver: 'embedded' },
      workers: { workers: 1, not_sandboxed: 1, reason: sandbox },
    });
    expectProblem(await api.ask('GET', '/api/v1/workers', { key }), 403, 'forbidden');
  });
});
