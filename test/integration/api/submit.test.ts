import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { statement } from '../../../db/statement.ts';
import { SCRAPE_JOBS } from '../../../queue/topology.ts';
import { waitFor } from '../../support/wait-for.ts';
import { expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const scrape = (body: unknown, headers: Record<string, string> = {}) =>
  api.ask('POST', '/api/v1/jobs/scrape', { body, headers });
const batch = (body: unknown, headers: Record<string, string> = {}) =>
  api.ask('POST', '/api/v1/jobs/batch', { body, headers });
const BODY = { urls: ['https://example.com/'] };

const countJobs = async () => {
  const rows = await api.database.query<{ count: number }>(
    statement('count_all_jobs', 'SELECT count(*)::int AS count FROM jobs'),
  );
  return rows[0]?.count;
};

describe('a scrape request', () => {
  test('is stored before it is answered, with the URL of the job', async () => {
    const answer = await scrape(BODY);
    expect(answer.status).toBe(202);
    const { job_id: id } = answer.json;
    expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(answer.json).toEqual({
      job_id: id,
      status: 'queued',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      links: {
        self: `/api/v1/jobs/${id}`,
        pages: `/api/v1/jobs/${id}/pages`,
        leads: `/api/v1/jobs/${id}/leads`,
        events: `/api/v1/jobs/${id}/events`,
      },
    });
    expect(answer.headers.get('location')).toBe(`/api/v1/jobs/${id}`);
    const job = await api.ask('GET', answer.json.links.self);
    expect(job.json).toMatchObject({ job_id: id, status: 'queued', spec: BODY });
  });

  test('is served at the root path too', async () => {
    const answer = await api.ask('POST', '/jobs/scrape', { body: BODY });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`/api/v1/jobs/${answer.json.job_id}`);
  });

  test('reaches the queue without the scheduler', async () => {
    await api.queue.purge(SCRAPE_JOBS);
    const id = await api.submit({ industry: 'dentist', geography: 'Lyon', priority: 9 });
    expect(api.offered.at(-1)).toMatchObject({
      id,
      attempt: 0,
      priority: 9,
      search: { industry: 'dentist', geography: 'Lyon' },
    });
    await waitFor(async () => (await api.queue.depth(SCRAPE_JOBS)) > 0, { what: 'a message' });
  });

  test('with a run_at in the future is scheduled, and not dispatched', async () => {
    const before = api.offered.length;
    const answer = await scrape({ ...BODY, run_at: '2099-01-01T12:00:00+14:00' });
    expect(answer.json.status).toBe('scheduled');
    const job = await api.ask('GET', answer.json.links.self);
    expect(job.json).toMatchObject({ status: 'scheduled', run_at: '2098-12-31T22:00:00.000Z' });
    expect(api.offered.length).toBe(before);
  });

  test('returns its metadata unchanged', async () => {
    const metadata = { n: 1.5, deep: [{ a: [null, true] }], 'ключ ☃ 𝄞': 'ü' };
    const id = await api.submit({ ...BODY, metadata });
    expect((await api.ask('GET', `/api/v1/jobs/${id}`)).json.spec.metadata).toEqual(metadata);
  });

  test('passes the request id on as the correlation id of its events', async () => {
    const id = (await scrape(BODY, { 'x-request-id': 'trace-me-1' })).json.job_id;
    const rows = await api.database.query<{ correlation_id: string }>(
      statement('find_correlation', 'SELECT correlation_id FROM events WHERE job_id = $1'),
      [id],
    );
    expect(rows).toEqual([{ correlation_id: 'trace-me-1' }]);
  });

  test('shares its commit with concurrent ones, and each gets its own job', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => scrape({ ...BODY, metadata: { n } })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ json }) => json.job_id)).size).toBe(200);
    const last = await api.ask('GET', answers[123]?.json.links.self);
    expect(last.json.spec.metadata).toEqual({ n: 123 });
  });
});

describe('an idempotency key', () => {
  test('returns the first answer for the same body, whatever the order of its fields', async () => {
    const first = await scrape({ ...BODY, priority: 1 }, { 'idempotency-key': 'same' });
    const again = await scrape({ priority: 1, ...BODY }, { 'idempotency-key': 'same' });
    expect(again.status).toBe(202);
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
  });

  test('with another body is a conflict', async () => {
    await scrape(BODY, { 'idempotency-key': 'other' });
    expectProblem(
      await scrape({ ...BODY, priority: 1 }, { 'idempotency-key': 'other' }),
      409,
      'idempotency_conflict',
    );
  });

  test('used by many at once stores one job', async () => {
    const before = (await countJobs()) ?? 0;
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => scrape(BODY, { 'idempotency-key': 'race' })),
    );
    expect(new Set(answers.map(({ json }) => json.job_id)).size).toBe(1);
    expect(await countJobs()).toBe(before + 1);
  });

  test('is scoped to one user', async () => {
    const { key } = await api.addUser();
    const mine = await scrape(BODY, { 'idempotency-key': 'mine' });
    const theirs = await api.ask('POST', '/api/v1/jobs/scrape', {
      key,
      body: { ...BODY, priority: 3 },
      headers: { 'idempotency-key': 'mine' },
    });
    expect(theirs.status).toBe(202);
    expect(theirs.json.job_id).not.toBe(mine.json.job_id);
  });

  test('works for a batch', async () => {
    const body = { jobs: [BODY, BODY] };
    const first = await batch(body, { 'idempotency-key': 'batch' });
    expect((await batch(body, { 'idempotency-key': 'batch' })).json).toEqual(first.json);
    expectProblem(await batch({ jobs: [BODY] }, { 'idempotency-key': 'batch' }), 409, 'idempotency_conflict');
  });

  test.each(['', 'a b', 'x'.repeat(256)])('that is invalid is reported: %j', async (key) => {
    const answer = await scrape(BODY, { 'idempotency-key': key });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe('Idempotency-Key');
  });
});

describe('a batch', () => {
  test('stores a thousand jobs, in order', async () => {
    const jobs = Array.from({ length: 1000 }, (_, n) => ({ ...BODY, metadata: { n } }));
    const answer = await batch({ jobs });
    expect(answer.status).toBe(202);
    expect(answer.json.jobs).toHaveLength(1000);
    expect(answer.json.jobs[0]).toEqual({ job_id: expect.any(String), status: 'queued' });
    const some = await api.ask('GET', `/api/v1/jobs/${answer.json.jobs[700].job_id}`);
    expect(some.json.spec.metadata).toEqual({ n: 700 });
  });

  test('is stored as a whole or not at all', async () => {
    const before = await countJobs();
    const answer = await batch({ jobs: [BODY, BODY, { urls: ['nowhere'] }, { ...BODY, priority: 10 }] });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors.map(({ path }: { path: string }) => path)).toEqual([
      'jobs.2.urls.0',
      'jobs.3.priority',
    ]);
    expect(await countJobs()).toBe(before);
  });

  test.each([0, 1001])('of %i jobs is refused', async (length) => {
    const answer = await batch({ jobs: Array.from({ length }, () => BODY) });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe('jobs');
  });

  test('may be large, its jobs may not', async () => {
    const job = (bytes: number) => ({ ...BODY, metadata: { text: 'x'.repeat(bytes) } });
    expect((await batch({ jobs: Array.from({ length: 90 }, () => job(100_000)) })).status).toBe(202);
    const answer = await batch({ jobs: [BODY, job(110_000)] });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe('jobs.1');
    expectProblem(
      await batch({ jobs: Array.from({ length: 110 }, () => job(100_000)) }),
      413,
      'body_too_large',
    );
  });
});
