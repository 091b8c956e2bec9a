import { type CrawlSite, HUB_LINKS, startCrawlSite } from '../fixtures/crawl/site.ts';
import { type Fleet, type JobView, startFleet } from '../support/processes/fleet.ts';
import { waitFor } from '../support/wait-for.ts';

/** Real workers crawl a site: every page once, whatever the site or the machine does. */

let site: CrawlSite;
let fleet: Fleet;
afterEach(async () => {
  await fleet?.stop();
  await site?.close();
});

interface PageLine {
  url: string;
  title: string | null;
  links?: unknown;
  markdown?: string;
  text?: string;
  error: { code: string } | null;
}

async function start(workers: number, env: Record<string, string> = {}) {
  site = await startCrawlSite();
  fleet = await startFleet({ driver: 'embedded', workers, env: { HOST_CONCURRENCY: '4', ...env } });
  return fleet.client;
}

async function pagesOf(id: string): Promise<PageLine[]> {
  const response = await fleet.client.request('GET', `/api/v1/jobs/${id}/pages?format=ndjson`);
  const lines = (await response.text()).trim().split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as PageLine);
}

/** A crawl has many pages, and a busy machine may take a second for each. */
const finished = (id: string): Promise<JobView> =>
  waitFor(
    async () => {
      const job = await fleet.client.job(id);
      return ['completed', 'failed'].includes(job.status) && job;
    },
    { timeoutMs: 160_000, everyMs: 200, what: `crawl ${id} to end` },
  );

const pathOf = ({ url }: PageLine) => url.slice(site.url.length);
const isTrap = (path: string) => /^\/(calendar|grow)\//.test(path);
const timesAsked = () => {
  const times = new Map<string, number>();
  for (const path of site.requests) times.set(path, (times.get(path) ?? 0) + 1);
  return times;
};

test('a crawl stores every page of a site once and gets out of every trap', async () => {
  const client = await start(1);
  const id = await client.post({ urls: [`${site.url}/`], crawl: {}, formats: ['markdown'] });
  const job = await finished(id);
  expect(job.status).toBe('completed');
  const pages = await pagesOf(id);
  const good = pages.filter(({ error }) => error === null).map(pathOf);
  const ordinary = good.filter((path) => !isTrap(path));
  // Of two addresses with the same content, the one discovered first.
  const known = ordinary.map((path) => (path === '/double.html' ? '/orphan.html' : path));
  expect(known.sort()).toEqual([...site.expected].sort());
  expect(pages.filter(({ error }) => error).map((page) => [pathOf(page), page.error?.code])).toEqual([
    ['/missing.html', 'http_client_error'],
  ]);
  expect(good.filter((path) => path.startsWith('/grow/')).length).toBeLessThanOrEqual(1);
  expect(good.filter((path) => path.startsWith('/calendar/')).length).toBeLessThanOrEqual(30);
  // Each address once, however it is spelled; the redirect leads to a page that may have been
  // requested by its own address.
  for (const [path, times] of timesAsked())
    expect([path, times]).toEqual([path, path === '/people.html' ? expect.any(Number) : 1]);
  expect(site.requests.filter((path) => path.startsWith('/private/'))).toEqual([]);
  expect(site.requests.filter((path) => path.startsWith('/people.html')).length).toBeLessThanOrEqual(2);
  expect(pages.every((page) => !('links' in page) && !('text' in page))).toBe(true);
  expect(pages[0]?.markdown).toContain('This is the text of Home');
  expect(job.counts).toEqual({ pages: pages.length, leads: 0, errors: 1 });
  expect(job.progress).toMatchObject({
    done: pages.length,
    total: pages.length,
    // One of the two addresses, the redirect, and in the growing path.
    message: expect.stringMatching(/, \d+ the same as another page, 1 not allowed by robots\.txt/),
  });
});

test('a crawl stays within its bounds', async () => {
  const client = await start(1);
  const crawl = (bounds: object) => client.post({ urls: [`${site.url}/`], crawl: bounds });
  const [within, shallow, few] = await Promise.all([
    crawl({ include: ['/s/*/**'], exclude: ['/s/2/**', 'page-1*.html'] }),
    crawl({ max_depth: 0 }),
    crawl({ max_pages: 20 }),
  ]);
  for (const id of [within, shallow, few]) expect((await finished(id)).status).toBe('completed');
  const pages = [1, 3, 4, 5, 6, 7, 8, 9, 10].flatMap((s) => [
    `/s/${s}/`,
    ...[2, 3, 4, 5, 6, 7, 8, 9].map((p) => `/s/${s}/page-${p}.html`),
  ]);
  expect((await pagesOf(within)).map(pathOf).sort()).toEqual(['/', ...pages].sort());
  expect((await pagesOf(shallow)).map(pathOf)).toEqual(['/']);
  const twenty = await pagesOf(few);
  expect(twenty).toHaveLength(20);
  // Breadth first: all of them one link from the seed.
  expect(twenty.map(pathOf).filter((path) => /page-/.test(path)).length).toBeLessThan(8);
});

test.each(['http', 'browser'])(
  'a crawl whose worker is killed goes on and visits nothing again that is stored: render %s',
  async (render) => {
    const client = await start(1, { LEASE_MS: '3000', HOST_CONCURRENCY: '2' });
    site.delayMs = 40;
    const id = await client.post({ urls: [`${site.url}/`], crawl: { exclude: ['/calendar/**'] }, render });
    await waitFor(async () => (await client.job(id)).counts.pages >= 30, {
      timeoutMs: 60_000,
      what: 'the crawl to be in the middle',
    });
    await fleet.workers[0]?.kill();
    const stored = (await pagesOf(id)).map(pathOf);
    expect(stored.length).toBeLessThan(site.expected.length);
    const askedBefore = site.requests.length;
    await fleet.startWorker();
    const job = await finished(id);
    expect(job).toMatchObject({
      status: 'completed',
      attempts: [{ outcome: 'crashed' }, { outcome: 'completed' }],
    });
    const paths = (await pagesOf(id)).map(pathOf);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths).toEqual(
      expect.arrayContaining(site.expected.filter((path) => !/people|orphan/.test(path))),
    );
    const again = site.requests.slice(askedBefore);
    expect(again.filter((path) => stored.includes(path) && path !== '/people.html')).toEqual([]);
  },
);

test('a crawl longer than one attempt loses neither pages nor attempts', async () => {
  const client = await start(1, { JOB_TIMEOUT_MS: '20000', PAGE_TIMEOUT_MS: '8000', HOST_CONCURRENCY: '1' });
  // A run takes pages for ten seconds, and these need at least twelve.
  site.delayMs = 200;
  const id = await client.post({
    urls: [`${site.url}/`],
    crawl: { max_pages: 60 },
    max_attempts: 1,
  });
  const job = await finished(id);
  expect(job).toMatchObject({ status: 'completed', attempt: 1 });
  const outcomes = job.attempts.map(({ outcome }) => outcome);
  expect(outcomes.length).toBeGreaterThan(1);
  expect(new Set(outcomes.slice(0, -1))).toEqual(new Set(['released']));
  const paths = (await pagesOf(id)).map(pathOf);
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths).toHaveLength(60);
});

test('a worker that stops hands its crawl back between two pages, and another continues it', async () => {
  const client = await start(1, { HOST_CONCURRENCY: '1', SHUTDOWN_GRACE_MS: '600000' });
  // Longer than a stop may take here.
  site.delayMs = 1000;
  const id = await client.post({ urls: [`${site.url}/`], crawl: { max_pages: 100 }, max_attempts: 1 });
  await waitFor(async () => (await client.job(id)).counts.pages >= 2, {
    timeoutMs: 60_000,
    what: 'the crawl to be under way',
  });
  expect(await fleet.workers[0]?.stop()).toBe(0);
  const handedBack = await client.job(id);
  expect(handedBack).toMatchObject({ status: 'queued', attempt: 0, attempts: [{ outcome: 'released' }] });
  expect(handedBack.counts.errors).toBe(0);
  site.delayMs = 0;
  await fleet.startWorker();
  const job = await finished(id);
  expect(job).toMatchObject({ status: 'completed', attempt: 1 });
  const paths = (await pagesOf(id)).map(pathOf);
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths).toHaveLength(100);
});

test('a map returns the addresses of a site in one answer', async () => {
  const client = await start(1);
  const map = async (body: object) => {
    const response = await client.request('POST', '/api/v1/jobs/map', { url: `${site.url}/`, ...body });
    expect(response.status).toBe(200);
    return (await response.json()) as {
      job_id: string;
      urls: { url: string; title?: string }[];
      total: number;
    };
  };
  const whole = await map({});
  const paths = whole.urls.map(({ url }) => url.slice(site.url.length).replace(/\?.*/, ''));
  // As a crawl finds it: of two addresses with the same content, one.
  const known = paths.map((path) => (path === '/double.html' ? '/orphan.html' : path));
  expect(known).toEqual(expect.arrayContaining(site.expected));
  expect(new Set(paths).size).toBe(paths.length);
  expect(whole.urls[0]).toEqual({ url: `${site.url}/`, title: 'Home' });
  expect(whole.total).toBe(whole.urls.length);
  expect(await pagesOf(whole.job_id)).toEqual([]);

  const some = await map({ limit: 5 });
  expect(some.urls).toHaveLength(5);
  const sought = await map({ search: 'SECTION 1', include: ['/s/**'] });
  expect(sought.urls.length).toBeGreaterThan(0);
  const said = sought.urls.map(({ url, title }) => `${url.slice(site.url.length)} ${title}`.toLowerCase());
  expect(said.every((text) => text.includes('section') && text.includes('1'))).toBe(true);

  // More than one part holds.
  const hub = await map({ url: `${site.url}/hub.html`, include: ['/item/*'], limit: 5000 });
  const items = hub.urls.map(({ url }) => url.slice(site.url.length)).filter((path) => path !== '/hub.html');
  expect(items).toEqual(Array.from({ length: HUB_LINKS }, (_, n) => `/item/${n + 1}`));

  const list = await client.request('GET', `/api/v1/jobs/${whole.job_id}/urls?limit=10`);
  const first = (await list.json()) as { urls: { url: string }[]; next_cursor: string };
  expect(first.urls).toEqual(whole.urls.slice(0, 10));
  const next = await client.request(
    'GET',
    `/api/v1/jobs/${whole.job_id}/urls?limit=10&cursor=${first.next_cursor}`,
  );
  expect(((await next.json()) as { urls: unknown[] }).urls).toEqual(whole.urls.slice(10, 20));

  const gone = await client.request('POST', '/api/v1/jobs/map', { url: 'http://127.0.0.1:1/' });
  expect(gone.status).toBe(502);
  expect(await gone.json()).toMatchObject({ code: 'map_failed' });
});
