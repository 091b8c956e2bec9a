import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { settle } from '../../../core/jobs/job-state.ts';
import { findJob } from '../../../db/jobs/read.ts';
import { type StoredPage, storePages } from '../../../db/jobs/run.ts';
import { settleJobs } from '../../../db/jobs/settle.ts';
import { storeLead } from '../../../db/leads.ts';
import { storeCrawlStep } from '../../../db/pages/crawl.ts';
import { prune } from '../../../db/prune.ts';
import { statement } from '../../../db/statement.ts';
import { declareRoleLimits } from '../../../db/usage/limits.ts';
import { createAllowance } from '../../../workers/scraper/allowance.ts';
import { aLead, aPage, begin, expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

let user: Awaited<ReturnType<TestApi['addUser']>>;
beforeEach(async () => {
  user = await api.addUser();
});

const JOB = { urls: ['https://example.com/'] };

const limit = async (limits: Record<string, unknown>) => {
  const answer = await api.ask('PATCH', `/api/v1/users/${user.userId}/limits`, { body: limits });
  expect(answer.status).toBe(200);
  return answer.json;
};
const usage = async () => (await api.ask('GET', '/api/v1/usage', { key: user.key })).json;
const usedPages = async () => (await usage()).limits.pages_per_day.used;
const storedBytes = async () => (await usage()).limits.stored_bytes.used;

async function aRun(attempt = 0) {
  return begin(api.database, await api.submit(JOB, user.key), attempt);
}

const aStoredPage = (position: number, text = 'Some text.'): StoredPage => ({
  position,
  page: aPage({ text }),
  artifacts: [],
  progress: { done: position + 1, total: 100, message: null },
  counts: { pages: position + 1, leads: 0, errors: 0 },
});
const pages = (...positions: number[]) => positions.map((position) => aStoredPage(position));
const bytesOf = (page: StoredPage): number => Buffer.byteLength(JSON.stringify(page.page));

/** What of the job's pages is in the database, without the counters. */
async function inDatabase(jobId: string): Promise<{ pages: number; bytes: number }> {
  const [row] = await api.database.query<{ pages: number; bytes: number }>(IN_DATABASE, [jobId]);
  if (!row) throw new Error('no row');
  return row;
}
const IN_DATABASE = statement(
  'test_pages_in_database',
  `SELECT count(*)::int AS pages, coalesce(sum(octet_length(content::text)), 0)::float8 AS bytes FROM pages WHERE job_id = $1`,
);

/** As if what was used today had been used before. */
const turnDay = (unit: 'day' | 'month') =>
  api.database.query(unit === 'day' ? TURN_DAY : TURN_MONTH, [user.userId]);
const TURN_DAY = statement('test_turn_day', 'UPDATE usage_daily SET day = day - 1 WHERE user_id = $1');
const TURN_MONTH = statement('test_turn_month', 'UPDATE usage_daily SET day = day - 40 WHERE user_id = $1');

describe('pages', () => {
  test('count once, however often they are stored', async () => {
    const run = await aRun();
    expect(await storePages(api.database, run, pages(0, 1, 2))).toEqual({ kind: 'stored' });
    await storePages(api.database, run, pages(1, 2, 3));
    await storePages(api.database, run, pages(3));
    expect(await usedPages()).toBe(4);
  });

  test('of several workers of one user are summed up exactly, with repetitions at the same moment', async () => {
    const runs = await Promise.all([aRun(), aRun(), aRun(), aRun()]);
    const stores = runs.flatMap((run) =>
      [0, 1, 2, 3, 4].flatMap((position) => {
        const store = () => storePages(api.database, run, pages(position, position + 1));
        return [store(), store()];
      }),
    );
    expect(await Promise.all(stores)).toEqual(stores.map(() => ({ kind: 'stored' })));
    const stored = await Promise.all(runs.map(({ id }) => inDatabase(id)));
    const bytes = stored.reduce((sum, job) => sum + job.bytes, 0);
    expect({ pages: await usedPages(), bytes: await storedBytes() }).toEqual({ pages: 24, bytes });
  });

  test('of concurrent workers never exceed the limit by one', async () => {
    await limit({ pages_per_day: 10 });
    const runs = await Promise.all([aRun(), aRun(), aRun(), aRun()]);
    const results = await Promise.all(
      runs.flatMap((run) => [0, 1, 2, 3, 4].map((at) => storePages(api.database, run, pages(at)))),
    );
    expect(results.filter(({ kind }) => kind === 'stored')).toHaveLength(10);
    expect(results.find(({ kind }) => kind === 'full')).toMatchObject({
      fits: 0,
      exhausted: { limit: 'pages_per_day', scope: 'user', used: 10, limitValue: 10 },
    });
    const stored = await Promise.all(runs.map(({ id }) => inDatabase(id)));
    expect(stored.reduce((sum, job) => sum + job.pages, 0)).toBe(10);
    expect(await usedPages()).toBe(10);
  });

  test('beyond the limit are refused all, and the answer says how many would fit', async () => {
    await limit({ pages_per_month: 3 });
    const run = await aRun();
    expect(await storePages(api.database, run, pages(0, 1, 2, 3, 4))).toMatchObject({
      kind: 'full',
      fits: 3,
    });
    expect((await inDatabase(run.id)).pages).toBe(0);
    expect(await storePages(api.database, run, pages(0, 1, 2))).toEqual({ kind: 'stored' });
    // Stored again: no new page.
    expect(await storePages(api.database, run, pages(0, 1, 2))).toEqual({ kind: 'stored' });
  });

  test('of a key have a limit of their own', async () => {
    const body = { name: 'small', user_id: user.userId, limits: { pages_per_day: 2 } };
    const small = (await api.ask('POST', '/api/v1/keys', { body })).json;
    expect(small.limits).toEqual({ pages_per_day: 2 });
    const run = await begin(api.database, await api.submit(JOB, small.key));
    expect(await storePages(api.database, run, pages(0, 1, 2))).toMatchObject({
      ...{ kind: 'full', fits: 2 },
      exhausted: { limit: 'pages_per_day', scope: 'key', used: 0, limitValue: 2 },
    });
    await storePages(api.database, run, pages(0, 1));
    const refused = await api.ask('POST', '/api/v1/jobs/scrape', { body: JOB, key: small.key });
    expectProblem(refused, 429, 'limit_reached');
    expect(refused.json).toMatchObject({ limit: 'pages_per_day', scope: 'key', used: 2, limit_value: 2 });
    await api.submit(JOB, user.key);
    const { keys } = await usage();
    expect(
      keys.find(({ key_id }: { key_id: string }) => key_id === small.id).limits.pages_per_day,
    ).toMatchObject({
      ...{ used: 2, limit_value: 2 },
    });
    expectProblem(
      await api.ask('POST', '/api/v1/keys', { body: { name: 'x' }, key: small.key }),
      403,
      'forbidden',
    );
  });

  test('of a crawl and sites of a lead search count too', async () => {
    const run = await aRun();
    const page = aStoredPage(0);
    const step = { visited: [], found: [], page, progress: page.progress, counts: page.counts };
    for (let time = 0; time < 2; time += 1) {
      expect(await storeCrawlStep(api.database, run, step)).toEqual({ kind: 'stored' });
    }
    const lead = aLead('example.com');
    const found = { key: 'example.com', lead, maxLeads: 10, progress: page.progress };
    for (let time = 0; time < 2; time += 1) await storeLead(api.database, run, found);
    expect(await usedPages()).toBe(2);
  });

  test('of a map count once, although they are not stored', async () => {
    const run = await aRun();
    const url = { position: 0, url: 'https://example.com/', depth: 0, patternDepth: 0, title: null };
    const step = {
      page: null,
      progress: aStoredPage(0).progress,
      counts: { pages: 0, leads: 0, errors: 0 },
      isMap: true,
    };
    await storeCrawlStep(api.database, run, { ...step, visited: [], found: [url] });
    const visited = { position: 0, state: 'done', tries: 0, title: null, contentHash: null };
    for (let time = 0; time < 2; time += 1)
      await storeCrawlStep(api.database, run, { ...step, visited: [visited], found: [] });
    expect(await usedPages()).toBe(1);
  });
});

describe('a job whose user has no pages left', () => {
  test('is refused, saying which limit, how much is used and when it is free again', async () => {
    await limit({ pages_per_day: 2 });
    await storePages(api.database, await aRun(), pages(0, 1));
    const answer = await api.ask('POST', '/api/v1/jobs/scrape', { body: JOB, key: user.key });
    expectProblem(answer, 429, 'limit_reached');
    const tomorrow = new Date();
    tomorrow.setUTCHours(24, 0, 0, 0);
    const { limit: name, scope, used, limit_value, free_at } = answer.json;
    expect({ limit: name, scope, used, limit_value, free_at }).toEqual({
      ...{ limit: 'pages_per_day', scope: 'user', used: 2, limit_value: 2 },
      free_at: tomorrow.toISOString(),
    });
    const seconds = (tomorrow.getTime() - Date.now()) / 1000;
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(seconds - 60);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThan(seconds + 60);
    await turnDay('day');
    await api.submit(JOB, user.key);
  });

  test('waits if it runs, at no cost, and goes on when the day turns', async () => {
    await limit({ pages_per_day: 2 });
    const allowance = createAllowance(api.database);
    const run = await aRun();
    await storePages(api.database, run, pages(0, 1));
    const full = await storePages(api.database, run, pages(2));
    if (full.kind !== 'full') throw new Error('it was stored');
    const { code, message, delayMs, budget } = allowance.refused(run, full.exhausted);
    const outcome = { kind: 'snooze', error: { code, message }, delayMs, budget } as const;
    const transition = settle(run, outcome, { baseMs: 1, capMs: 1 }, 0);
    expect(await settleJobs(api.database, [{ run, transition }])).toEqual([true]);
    const waiting = await findJob(api.database, user.userId, run.id);
    expect(waiting).toMatchObject({
      ...{ status: 'retrying', attempt: 0, counts: { pages: 2 } },
      error: {
        code: 'limit_reached',
        message: expect.stringMatching(/^pages_per_day: 2 of 2 used; free again from .*T00:00/),
      },
    });
    const free = new Date();
    free.setUTCHours(24, 0, 0, 0);
    expect(Math.abs((waiting?.run_at.getTime() ?? 0) - free.getTime())).toBeLessThan(60_000);

    await expect(allowance.requireLikely(run)).rejects.toMatchObject({ code: 'limit_reached' });
    await turnDay('day');
    await allowance.requireLikely(run);
    await api.database.query(MAKE_DUE, [run.id]);
    const again = await begin(api.database, run.id);
    expect(again).toMatchObject({ attempt: 1, isResumed: true });
    expect(await storePages(api.database, again, pages(2, 3))).toEqual({ kind: 'stored' });
    expect((await usage()).pages.by_day.map((day: { pages: number }) => day.pages)).toEqual([2, 2]);
  });

  test('goes on at once if the limit is raised', async () => {
    await limit({ pages_per_month: 0 });
    const [id] = [await api.submit(JOB)];
    await api.database.query(WAIT_FOR_LIMIT, [id, user.userId]);
    await limit({ pages_per_month: 100 });
    const job = await findJob(api.database, user.userId, id ?? '');
    expect(job?.run_at.getTime()).toBeLessThan(Date.now() + 60_000);
  });

  test('gets its first answer again for a repeated request', async () => {
    await limit({ pages_per_day: 1 });
    const options = { body: JOB, key: user.key, headers: { 'idempotency-key': 'once' } };
    const first = await api.ask('POST', '/api/v1/jobs/scrape', options);
    await storePages(api.database, await begin(api.database, first.json.job_id), pages(0));
    const again = await api.ask('POST', '/api/v1/jobs/scrape', options);
    expect([again.status, again.json.job_id]).toEqual([202, first.json.job_id]);
    const other = { ...options, headers: { 'idempotency-key': 'twice' } };
    expectProblem(await api.ask('POST', '/api/v1/jobs/scrape', other), 429, 'limit_reached');
    await turnDay('month');
    expect((await api.ask('POST', '/api/v1/jobs/scrape', other)).status).toBe(202);
  });
});

const MAKE_DUE = statement(
  'test_make_due',
  `UPDATE jobs SET status = 'queued', run_at = now() WHERE id = $1`,
);
const WAIT_FOR_LIMIT = statement(
  'test_wait_for_limit',
  `UPDATE jobs SET user_id = $2, status = 'retrying', error_code = 'limit_reached', run_at = now() + interval '20 days' WHERE id = $1`,
);

describe('stored bytes', () => {
  test('are those of pages and artifacts, and are free again when the job is deleted', async () => {
    const run = await aRun();
    const body = Buffer.alloc(1000);
    const picture = { kind: 'screenshot', name: 'screenshot.png', contentType: 'image/png' } as const;
    const [first, second] = [aStoredPage(0), aStoredPage(1, 'Longer text than that of the other page.')];
    await storePages(api.database, run, [
      { ...first, artifacts: [{ ...picture, body, bytes: 1000 }] },
      second,
    ]);
    expect(await storedBytes()).toBe(bytesOf(first) + bytesOf(second) + 1000);
    // Replaced, without its picture.
    await storePages(api.database, run, [first]);
    expect(await storedBytes()).toBe(bytesOf(first) + bytesOf(second));

    const used = await usedPages();
    const other = await aRun();
    await storePages(api.database, other, [first]);
    await settleJobs(api.database, [
      { run, transition: settle(run, { kind: 'completed' }, { baseMs: 1, capMs: 1 }, 0) },
    ]);
    await api.database.query(FINISHED_LONG_AGO, [run.id]);
    await prune(api.database, { retentionDays: 30, auditRetentionDays: 365, limit: 100 });
    expect(await findJob(api.database, user.userId, run.id)).toBeNull();
    expect(await storedBytes()).toBe(bytesOf(first));
    expect(await usedPages()).toBe(used + 1);
  });

  test('never exceed their limit, and a page that fits is stored', async () => {
    const page = aStoredPage(0);
    await limit({ stored_bytes: bytesOf(page) * 2 });
    const run = await aRun();
    expect(await storePages(api.database, run, pages(0, 1, 2))).toMatchObject({
      ...{ kind: 'full', fits: 2 },
      exhausted: { limit: 'stored_bytes', freeAt: null, waitMs: null },
    });
    await storePages(api.database, run, pages(0, 1));
    expect(await storePages(api.database, run, pages(2))).toMatchObject({ kind: 'full', fits: 0 });
    const answer = await api.ask('POST', '/api/v1/jobs/scrape', { body: JOB, key: user.key });
    expectProblem(answer, 429, 'limit_reached');
    expect(answer.json).toMatchObject({ limit: 'stored_bytes', used: bytesOf(page) * 2, free_at: null });
    expect(answer.headers.get('retry-after')).toBe('60');
  });
});

const FINISHED_LONG_AGO = statement(
  'test_finished_long_ago',
  `UPDATE jobs SET finished_at = now() - interval '40 days' WHERE id = $1`,
);

describe('other limits', () => {
  test('waiting jobs, one by one and in a batch', async () => {
    await limit({ max_waiting_jobs: 3 });
    const batch = (count: number) =>
      api.ask('POST', '/api/v1/jobs/batch', { key: user.key, body: { jobs: Array(count).fill(JOB) } });
    expect((await batch(2)).status).toBe(202);
    expectProblem(await batch(2), 429, 'limit_reached');
    await api.submit({ ...JOB, run_at: '2999-01-01T00:00:00Z' }, user.key);
    const refused = await api.ask('POST', '/api/v1/jobs/scrape', { body: JOB, key: user.key });
    expectProblem(refused, 429, 'limit_reached');
    expect(refused.json).toMatchObject({ limit: 'max_waiting_jobs', used: 3, limit_value: 3, free_at: null });
    expect((await usage()).limits.max_waiting_jobs).toEqual({ used: 3, limit_value: 3, resets_at: null });
  });

  test('requests of many users that share a statement are told apart', async () => {
    const others = await Promise.all([api.addUser(), api.addUser()]);
    await limit({ max_waiting_jobs: 2 });
    const post = (key: string) => api.ask('POST', '/api/v1/jobs/scrape', { body: JOB, key });
    const keys = [...Array(6).fill(user.key), ...others.flatMap(({ key }) => [key, key, key])];
    const answers = await Promise.all(keys.map(post));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.slice(6)).toEqual(Array(6).fill(202));
    // Statements at the same moment do not see each other's jobs, and there are at most two.
    expect(statuses.slice(0, 6).filter((status) => status === 202).length).toBeLessThanOrEqual(4);
    expectProblem(await post(user.key), 429, 'limit_reached');
  });

  test('the highest priority', async () => {
    await limit({ highest_priority: 4 });
    const urgent = await api.submit({ ...JOB, priority: 4 }, user.key);
    // Others would yield to it.
    await api.ask('POST', `/api/v1/jobs/${urgent}/cancel`, { key: user.key });
    const body = { jobs: [JOB, { ...JOB, priority: 5 }] };
    const answer = await api.ask('POST', '/api/v1/jobs/batch', { body, key: user.key });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors).toEqual([
      { path: 'jobs.1.priority', message: 'expected at most 4, the highest priority of this user' },
    ]);
  });

  test('are those of the role until a user has their own, and again with "default"', async () => {
    const { role } = await limit({ pages_per_day: 5, stored_bytes: null });
    await declareRoleLimits(api.database, {
      [role]: { pages_per_day: 7, stored_bytes: 8, max_waiting_jobs: 9 },
    });
    const limits = async () => (await api.ask('GET', `/api/v1/users/${user.userId}/limits`)).json;
    expect(await limits()).toMatchObject({
      limits: { pages_per_day: 5, stored_bytes: null, max_waiting_jobs: 9, pages_per_month: null },
      own: { pages_per_day: 5, stored_bytes: null },
      of_role: { pages_per_day: 7, stored_bytes: 8, max_waiting_jobs: 9 },
    });
    await limit({ pages_per_day: 'default' });
    const audit = await api.ask('GET', `/api/v1/audit?action=user.limits_changed&target=${user.userId}`);
    expect(audit.json.entries.map(({ details }: { details: unknown }) => details)).toEqual([
      { pages_per_day: 'default' },
      { pages_per_day: 5, stored_bytes: null },
    ]);
    expect((await limits()).limits.pages_per_day).toBe(7);
    await declareRoleLimits(api.database, { [role]: {} });
    expect((await limits()).limits.pages_per_day).toBeNull();
  });

  test('say what is wrong with a value', async () => {
    const path = `/api/v1/users/${user.userId}/limits`;
    const wrong = await api.ask('PATCH', path, { body: { pages_per_day: -1, pages_per_hour: 3 } });
    expectProblem(wrong, 422, 'invalid_request');
    expect(wrong.json.errors).toEqual([
      {
        path: 'pages_per_day',
        message: expect.stringContaining('expected a whole number from 0 to 1000000000'),
      },
      { path: 'pages_per_hour', message: expect.any(String) },
    ]);
    expectProblem(await api.ask('PATCH', path, { body: {} }), 422, 'invalid_request');
    expectProblem(
      await api.ask('PATCH', path, { body: { pages_per_day: 1 }, key: user.key }),
      403,
      'forbidden',
    );
  });
});

describe('the usage', () => {
  test('of others is for admins', async () => {
    const other = `/api/v1/usage?user_id=${user.userId}`;
    expect((await api.ask('GET', other)).json.user_id).toBe(user.userId);
    const stranger = await api.addUser();
    expectProblem(await api.ask('GET', other, { key: stranger.key }), 403, 'forbidden');
    expectProblem(
      await api.ask('GET', '/api/v1/usage?all_users=true', { key: stranger.key }),
      403,
      'forbidden',
    );
  });

  test('of all users comes in pages', async () => {
    await storePages(api.database, await aRun(), pages(0, 1));
    const seen = new Map<string, { pages_today: number }>();
    let cursor = '';
    do {
      const { json } = await api.ask('GET', `/api/v1/usage?all_users=true&limit=2${cursor}`);
      for (const one of json.users) seen.set(one.user_id, one);
      cursor = json.next_cursor && `&cursor=${json.next_cursor}`;
    } while (cursor);
    expect(seen.get(user.userId)).toMatchObject({ pages_today: 2, jobs: { running: 1, waiting: 0 } });
  });
});
