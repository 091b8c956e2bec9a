import { settle } from '../../../core/jobs/job-state.ts';
import { settleJobs } from '../../../db/jobs/settle.ts';
import { storeCrawlStep } from '../../../db/pages/crawl.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type Answer, begin, expectProblem, run, startApi, type TestApi } from './api-fixture.ts';

/** The map of a site, as its caller sees it; the test of crawls covers the workers' side. */

const MAP = '/api/v1/jobs/map';
const body = { url: 'https://example.com/' };

/** Waits long enough for a job to be ended here. */
let patient: TestApi;
/** Times out at once. */
let hasty: TestApi;
beforeAll(async () => {
  [patient, hasty] = await Promise.all([startApi({ mapWaitMs: 30_000 }), startApi({ mapWaitMs: 0 })]);
});
afterAll(() => Promise.all([patient?.stop(), hasty?.stop()]));

/** Requests a map, and returns the id of its job while the answer is pending. */
async function asked(mapped: Record<string, unknown>): Promise<{ id: string; answer: Promise<Answer> }> {
  const before = patient.offered.length;
  const answer = patient.ask('POST', MAP, { body: mapped });
  const id = await waitFor(async () => patient.offered[before]?.id, { what: 'the job of the map' });
  return { id, answer };
}

const TITLES: Record<string, string> = { '/': 'Home', '/c4.html': 'Café' };

/** Ends a map's job with these addresses found. */
async function find(id: string, paths: string[]): Promise<void> {
  const job = await begin(patient.database, id);
  const found = paths.map((path, position) => ({
    ...{
      position,
      url: `https://example.com${path}`,
      depth: 0,
      patternDepth: 0,
      title: TITLES[path] ?? null,
    },
  }));
  const step = { visited: [], found, page: null, progress: { done: 1, total: 1, message: '1 pages' } };
  await storeCrawlStep(patient.database, job, { ...step, counts: { pages: 0, leads: 0, errors: 0 } });

  const transition = settle(job, { kind: 'completed' }, { baseMs: 1, capMs: 1 }, 0);
  await settleJobs(patient.database, [{ run: job, transition }]);
}

test('is answered with the addresses once its job is done', async () => {
  const { id, answer } = await asked(body);
  await find(id, ['/', '/prices', '/about/team']);
  const { status, json } = await answer;
  expect(status).toBe(200);
  expect(json).toEqual({
    job_id: id,
    urls: [
      { url: 'https://example.com/', title: 'Home' },
      { url: 'https://example.com/prices' },
      { url: 'https://example.com/about/team' },
    ],
    total: 3,
    incomplete: true,
    message: '1 pages',
  });
});

test('has no more than the limit, and only matches', async () => {
  const few = await asked({ ...body, limit: 2 });
  await find(few.id, ['/', '/prices', '/about/team']);
  expect((await few.answer).json.total).toBe(2);
  const sought = await asked({ ...body, search: 'TEAM about' });
  await find(sought.id, ['/', '/prices', '/about/team']);
  expect((await sought.answer).json.urls).toEqual([{ url: 'https://example.com/about/team' }]);
  const paths = ['/', '/caf%C3%A9', '/c4.html', '/tea'];
  const folded = await asked({ ...body, search: 'cafe', limit: 1 });
  await find(folded.id, paths);
  // The limit is one of matches, and the addresses are not all that were found.
  expect((await folded.answer).json).toMatchObject({
    urls: [{ url: 'https://example.com/caf%C3%A9' }],
    total: 1,
  });
  const linked = await asked({ ...body, search: 'CAFÉ' });
  await find(linked.id, paths);
  expect((await linked.answer).json.total).toBe(2);
});

test('that takes too long is accepted, and links to its job', async () => {
  const answer = await hasty.ask('POST', MAP, { body });
  expect(answer.status).toBe(202);
  const { job_id: id, links } = answer.json;
  expect(answer.headers.get('location')).toBe(`/api/v1/jobs/${id}`);
  expect(links).toMatchObject({ self: `/api/v1/jobs/${id}`, urls: `/api/v1/jobs/${id}/urls` });
  const list = await hasty.ask('GET', links.urls);
  expect(list.json).toEqual({ urls: [], next_cursor: null });
  const { key } = await hasty.addUser();
  expectProblem(await hasty.ask('GET', links.urls, { key }), 404, 'not_found');
});

test('is one job for a request that is repeated with its key', async () => {
  const headers = { 'idempotency-key': 'one-map' };
  const [first, again] = [
    await hasty.ask('POST', MAP, { body, headers }),
    await hasty.ask('POST', MAP, { body, headers }),
  ];
  expect(again.json.job_id).toBe(first.json.job_id);
  const other = await hasty.ask('POST', MAP, { body: { ...body, limit: 7 }, headers });
  expectProblem(other, 409, 'idempotency_conflict');
});

test('of a site that cannot be read is an error with the reason', async () => {
  const { id, answer } = await asked(body);
  const error = { code: 'dns_failed', message: 'the host name could not be resolved' };
  await run(patient.database, id, { kind: 'fail', error });
  const failed = await answer;
  expectProblem(failed, 502, 'map_failed');
  expect(failed.json.detail).toBe(
    'https://example.com/ could not be read: the host name could not be resolved (dns_failed)',
  );
});

test('continues as a job if its caller disconnects', async () => {
  const before = patient.offered.length;
  const hangUp = new AbortController();
  const answer = patient.ask('POST', MAP, { body, signal: hangUp.signal });
  const id = await waitFor(async () => patient.offered[before]?.id, { what: 'the job of the map' });
  hangUp.abort();
  await expect(answer).rejects.toThrow();
  expect((await patient.ask('GET', `/api/v1/jobs/${id}`)).json.status).toBe('queued');
});

test.each<[string, Record<string, unknown>, string]>([
  ['no address', {}, 'url'],
  ['a file', { url: 'file:///etc/passwd' }, 'url'],
  ['something that is no address', { url: 'example.com' }, 'url'],
  ['no addresses at all', { ...body, limit: 0 }, 'limit'],
  ['too many addresses', { ...body, limit: 50_001 }, 'limit'],
  ['nothing sought', { ...body, search: ' ' }, 'search'],
  ['a pattern that is none', { ...body, include: [7] }, 'include.0'],
  ['what it does not know', { ...body, depth: 2 }, 'depth'],
])('of %s is refused before anything is stored', async (_what, wrong, path) => {
  const before = hasty.offered.length;
  const answer = await hasty.ask('POST', MAP, { body: wrong });
  expectProblem(answer, 422, 'invalid_request');
  expect(answer.json.errors[0].path).toBe(path);
  expect(hasty.offered).toHaveLength(before);
});

test('accepts no query, and no other method', async () => {
  expectProblem(await hasty.ask('POST', `${MAP}?limit=5`, { body }), 422, 'invalid_request');
  expect((await hasty.ask('DELETE', MAP)).status).toBe(405);
});
