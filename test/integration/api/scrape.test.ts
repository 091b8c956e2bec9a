import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createLongPoll } from '../../../api/jobs/long-poll.ts';
import { settle } from '../../../core/jobs/job-state.ts';
import type { Database } from '../../../db/connect.ts';
import { announceFinished } from '../../../db/jobs/finished.ts';
import { settleJobs } from '../../../db/jobs/settle.ts';
import { type Logger, silentLogger } from '../../../runtime/log/logger.ts';
import { waitFor } from '../../support/wait-for.ts';
import {
  type Answer,
  aPage,
  begin,
  expectProblem,
  run,
  startApi,
  storePages,
  type TestApi,
} from './api-fixture.ts';

/** One call for one page, as its caller sees it. The worker's side is played here. */

const SCRAPE = '/api/v1/scrape';
const body = { url: 'https://example.com/' };

let api: TestApi;
const errors: string[] = [];
beforeAll(async () => {
  const logger: Logger = { ...silentLogger, error: (event) => errors.push(event) };
  api = await startApi({ logger });
});
afterAll(() => api?.stop());

interface Asked {
  id: string;
  answer: Promise<Answer>;
}

/** Sends a request that waits; resolves when its job is stored. */
async function asked(path: string, options: Parameters<TestApi['ask']>[2]): Promise<Asked> {
  const before = api.offered.length;
  const answer = api.ask('POST', path, options);
  const id = await waitFor(async () => api.offered[before]?.id, { what: 'the job of the request' });
  return { id, answer };
}

const complete = async (id: string) => {
  const job = await begin(api.database, id);
  await storePages(api.database, job, [aPage({ markdown: '# Example' })]);
  const transition = settle(job, { kind: 'completed' }, { baseMs: 1, capMs: 1 }, 0);
  await settleJobs(api.database, [{ run: job, transition }]);
};

test('is answered with the page once its job is done', async () => {
  const { id, answer } = await asked(SCRAPE, { body });
  await complete(id);
  const { status, json, headers } = await answer;
  expect(status).toBe(200);
  expect(headers.get('content-location')).toBe(`/api/v1/jobs/${id}`);
  expect(json).toEqual({
    job_id: id,
    status: 'completed',
    created_at: expect.any(String),
    links: expect.objectContaining({ self: `/api/v1/jobs/${id}` }),
    page: (await api.ask('GET', `/api/v1/jobs/${id}/pages`)).json.pages[0],
  });
  expect((await api.ask('GET', `/api/v1/jobs/${id}`)).json).toMatchObject({
    spec: { urls: [body.url] },
    priority: 9,
    max_attempts: 2,
  });
});

test('goes to the workers with the priority asked for, as a job of which the end is announced', async () => {
  const before = api.offered.length;
  await api.ask('POST', `${SCRAPE}?wait=0`, { body: { ...body, priority: 3 } });
  const { id, answer } = await asked(SCRAPE, { body });
  expect(api.offered.slice(before).map(({ awaited, priority }) => [awaited, priority])).toEqual([
    [undefined, 3],
    [true, 9],
  ]);
  await complete(id);
  await answer;
});

test('an announced end wakes a request before it is asked for', async () => {
  const unasked: Database = {
    ...api.database,
    query: async (statement, values) =>
      statement.name === 'list_finished' ? [] : api.database.query(statement, values),
  };
  const longPoll = createLongPoll(unasked, silentLogger);
  const id = randomUUID();
  const ended = longPoll.untilFinal(id, 60_000, new AbortController().signal).then(() => 'ended');
  // Again and again, because it may not listen yet.
  const woken = await waitFor(
    async () => {
      await announceFinished(api.database, [id]);
      return Promise.race([ended, delay(10, null)]);
    },
    { what: 'the request to wake' },
  );
  expect(woken).toBe('ended');
  await longPoll.stop();
});

test('a job that takes longer is accepted, and goes on', async () => {
  const { id, answer } = await asked(`${SCRAPE}?wait=1`, { body });
  const { status, json, headers } = await answer;
  expect(status).toBe(202);
  expect(json).toMatchObject({ job_id: id, status: 'queued', links: { pages: `/api/v1/jobs/${id}/pages` } });
  expect(headers.get('location')).toBe(`/api/v1/jobs/${id}`);
  await complete(id);
});

test.each([
  ['dns_failed', 502],
  ['page_timeout', 504],
  ['site_asked_to_wait', 503],
  ['robots_disallowed', 422],
  ['http_client_error', 502],
])('a job that fails with %s is answered %i with that code', async (code, status) => {
  const { id, answer } = await asked(SCRAPE, { body });
  await run(api.database, id, { kind: 'fail', error: { code, message: 'why it failed' } });
  const failed = await answer;
  expectProblem(failed, status, code);
  expect(failed.json).toMatchObject({ detail: 'why it failed', job_id: id });
  // Its worker has logged it; of the API it is no fault.
  expect(errors).toEqual([]);
});

test('a job that is cancelled meanwhile is a conflict', async () => {
  const { id, answer } = await asked(SCRAPE, { body });
  await api.ask('POST', `/api/v1/jobs/${id}/cancel`);
  expectProblem(await answer, 409, 'job_cancelled');
});

describe('if the client goes away during the wait', () => {
  const hangUp = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    const controller = new AbortController();
    const job = path === SCRAPE || path.startsWith(`${SCRAPE}?`) ? body : { urls: [body.url] };
    const { id, answer } = await asked(path, { body: job, headers, signal: controller.signal });
    controller.abort();
    await expect(answer).rejects.toThrow();
    return id;
  };
  const statusOf = async (id: string) => (await api.ask('GET', `/api/v1/jobs/${id}`)).json.status;

  test('its job is cancelled', async () => {
    const id = await hangUp(SCRAPE);
    await waitFor(async () => (await statusOf(id)) === 'cancelled', { what: 'the cancel' });
  });

  test.each<[string, string, Record<string, string>]>([
    ['that is to be kept', `${SCRAPE}?keep=true`, {}],
    ['that has an idempotency key', SCRAPE, { 'idempotency-key': 'kept' }],
    ['of POST /jobs/scrape', '/api/v1/jobs/scrape?wait=20', {}],
  ])('a job %s goes on', async (_which, path, headers) => {
    const id = await hangUp(path, headers);
    // Asked after a job that is cancelled, in the same process.
    const cancelled = await hangUp(SCRAPE);
    await waitFor(async () => (await statusOf(cancelled)) === 'cancelled', { what: 'the cancel' });
    expect(await statusOf(id)).toBe('queued');
  });
});

test('repeated with its key it is one job, and answered at once if that has ended', async () => {
  const headers = { 'idempotency-key': 'one-page' };
  const { id, answer } = await asked(SCRAPE, { body, headers });
  await complete(id);
  const first = await answer;
  const again = await api.ask('POST', SCRAPE, { body, headers });
  expect([again.status, again.json]).toEqual([200, first.json]);
  const other = await api.ask('POST', SCRAPE, { body: { ...body, formats: ['text'] }, headers });
  expectProblem(other, 409, 'idempotency_conflict');
});

test('POST /jobs/scrape waits too, with the page of a job of one page', async () => {
  const job = { urls: [body.url], priority: 9 };
  const { id, answer } = await asked('/jobs/scrape?wait=20', { body: job });
  await complete(id);
  expect((await answer).json).toMatchObject({ job_id: id, status: 'completed', page: { url: body.url } });

  const urls = [body.url, 'https://example.com/2'];
  const several = await asked('/api/v1/jobs/scrape?wait=20', { body: { ...job, urls } });
  await complete(several.id);
  const { status, json } = await several.answer;
  expect([status, json.job_id, json.page]).toEqual([200, several.id, undefined]);
});

test('Prefer: wait= is honoured, and wait= in the query precedes it', async () => {
  const preferring = { prefer: 'respond-async, wait=20' };
  const { id, answer } = await asked('/api/v1/jobs/scrape', {
    body: { urls: [body.url], priority: 9 },
    headers: preferring,
  });
  await complete(id);
  expect((await answer).status).toBe(200);
  expect((await api.ask('POST', `${SCRAPE}?wait=0`, { body, headers: preferring })).status).toBe(202);
  expect((await api.ask('POST', SCRAPE, { body, headers: { prefer: 'wait=0' } })).status).toBe(202);
});

test.each<[string, string, Record<string, unknown>, string]>([
  ['no address', SCRAPE, {}, 'url'],
  ['a private address', SCRAPE, { url: 'http://10.0.0.1/' }, 'url'],
  ['several addresses', SCRAPE, { urls: [body.url] }, 'url'],
  ['a crawl', SCRAPE, { ...body, crawl: {} }, 'crawl'],
  ['browser work without a browser', SCRAPE, { ...body, render: 'http', formats: ['pdf'] }, 'formats.0'],
  ['too long a wait', `${SCRAPE}?wait=121`, body, 'wait'],
  ['an unknown parameter', `${SCRAPE}?timeout=1`, body, 'timeout'],
])('of %s is refused before anything is stored', async (_what, path, wrong, field) => {
  const before = api.offered.length;
  const answer = await api.ask('POST', path, { body: wrong });
  expectProblem(answer, 422, 'invalid_request');
  expect(answer.json.errors[0].path).toBe(field);
  expect(api.offered).toHaveLength(before);
});
