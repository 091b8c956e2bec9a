import type { ServerResponse } from 'node:http';
import { answers } from '../fixtures/site/pages.ts';
import { type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type Site, type SiteHandler, startSite } from '../support/servers/site.ts';

/** A redirect to another host obeys that host's robots.txt and takes one of its permits. */

const ROBOTS = 'User-agent: *\nDisallow: /private\n';

let fleet: Fleet;
/** With an allowed and a disallowed part; its pages link to all hosts. */
let site: Site;
/** Another host, with a robots.txt of its own. */
let other: Site;
/** A host whose robots.txt cannot be read. */
let broken: Site;
/** Concurrent requests for pages at `other`. */
let mostAtOther = 0;

const to = (location: string): SiteHandler => answers('', { location }, 302);
const page = (text: string) => `<title>${text}</title><main><p>${text}</p></main>`;

beforeAll(async () => {
  let atOther = 0;
  const robots = answers(ROBOTS, { 'content-type': 'text/plain' });
  [other, broken] = await Promise.all([
    startSite({
      pages: { '/robots.txt': robots },
      otherwise: (_request: unknown, response: ServerResponse) => {
        atOther += 1;
        mostAtOther = Math.max(mostAtOther, atOther);
        response.once('close', () => {
          atOther -= 1;
        });
        setTimeout(() => answers(page('The other site'))(_request as never, response), 40);
      },
    }),
    startSite({ pages: { '/robots.txt': answers('', {}, 503) }, otherwise: answers(page('Broken')) }),
  ]);
  site = await startSite({
    pages: {
      '/robots.txt': robots,
      '/private/x': page('Private'),
      '/open': page('Open'),
      '/moved': to('/private/x'),
      '/chain': to('/moved'),
      '/away': to(`${other.url}/private/y`),
      '/over': to(`${other.url}/open`),
      '/astray': to(`${broken.url}/open`),
      '/refresh': `<meta http-equiv="refresh" content="0; url=/private/x">${page('We have moved')}`,
      '/script': `${page('Wait')}<script>location.replace(${JSON.stringify(`${other.url}/private/y`)})</script>`,
      '/script-open': `${page('Wait')}<script>location.replace('/open')</script>`,
      '/button': `${page('Press')}<a href="/private/x" id="go">Go</a>`,
      '/': `${page('Home')}<a href="/moved">a</a><a href="/away">b</a><a href="/open">c</a>`,
    },
  });
  fleet = await startFleet({
    driver: 'embedded',
    workers: 2,
    env: { HOST_CONCURRENCY: '1', WORKER_CONCURRENCY: '2' },
  });
});
afterEach(() => {
  site.requests.length = 0;
  other.requests.length = 0;
});
afterAll(async () => {
  await fleet?.stop();
  await Promise.all([site, other, broken].map((each) => each?.close()));
});

async function scrape(paths: string[], spec: Record<string, unknown>) {
  const urls = paths.map((path) => `${site.url}${path}`);
  const id = await fleet.client.post({ urls, max_attempts: 1, formats: ['text'], ...spec });
  await fleet.client.until(id, 'completed', 'failed');
  return (await fleet.client.pages(id)) as {
    url: string;
    final_url: string | null;
    text?: string;
    error: { code: string } | null;
  }[];
}

const asked = (where: Site, prefix: string) => where.requests.filter((path) => path.startsWith(prefix));

describe.each(['http', 'browser', 'auto'])('a redirect, render %s', (render) => {
  test('to a disallowed page is not followed, on the same or another host', async () => {
    const pages = await scrape(['/moved', '/chain', '/away', '/over', '/open'], { render });
    expect(pages.map(({ error }) => error?.code ?? null)).toEqual([
      'robots_disallowed',
      'robots_disallowed',
      'robots_disallowed',
      null,
      null,
    ]);
    expect(pages[0]).toMatchObject({ final_url: null });
    expect(pages[3]).toMatchObject({ final_url: `${other.url}/open`, text: 'The other site' });
    expect([...asked(site, '/private'), ...asked(other, '/private')]).toEqual([]);
  });

  test('to a host whose robots.txt cannot be read is not followed', async () => {
    const [astray] = await scrape(['/astray'], { render });
    expect(astray?.error?.code).toBe('robots_unreadable');
    expect(asked(broken, '/open')).toEqual([]);
  });
});

describe.each(['browser', 'auto'])('a page that navigates by script, render %s', (render) => {
  test('is stopped by robots.txt, and reports it', async () => {
    const pages = await scrape(['/refresh', '/script', '/script-open'], { render });
    expect(pages).toMatchObject([
      { final_url: `${site.url}/refresh`, text: 'We have moved', error: { code: 'robots_disallowed' } },
      { final_url: `${site.url}/script`, text: 'Wait', error: { code: 'robots_disallowed' } },
      { final_url: `${site.url}/open`, text: 'Open', error: null },
    ]);
    expect([...asked(site, '/private'), ...asked(other, '/private')]).toEqual([]);
  });
});

test('an action cannot navigate to a disallowed page', async () => {
  const actions = [{ type: 'click', selector: '#go' }];
  const [pressed] = await scrape(['/button'], { actions });
  expect(pressed).toMatchObject({
    final_url: `${site.url}/button`,
    text: expect.stringContaining('Press'),
    error: { code: 'robots_disallowed' },
  });
  expect(asked(site, '/private')).toEqual([]);
});

test.each(['http', 'browser'])('a crawl skips redirects to disallowed pages: %s', async (render) => {
  const id = await fleet.client.post({ urls: [`${site.url}/`], crawl: {}, render, max_attempts: 1 });
  const job = await fleet.client.until(id, 'completed', 'failed');
  expect(job).toMatchObject({
    status: 'completed',
    counts: { pages: 2, errors: 0 },
    progress: { message: expect.stringContaining('2 not allowed by robots.txt') },
  });
  expect([...asked(site, '/private'), ...asked(other, '/private')]).toEqual([]);
});

test('pages of several hosts that redirect to one share its permits', async () => {
  const pages = { '/robots.txt': answers('', {}, 404) };
  const doors = await Promise.all(
    Array.from({ length: 4 }, () => startSite({ pages, otherwise: to(`${other.url}/open`) })),
  );
  mostAtOther = 0;
  try {
    const ids = await fleet.client.postBatch(
      doors.flatMap(({ url }) => [1, 2, 3].map((n) => ({ urls: [`${url}/${n}`], render: 'http' }))),
    );
    const jobs = await fleet.client.untilAll(ids, 'completed', 'failed');
    expect(jobs.map(({ status, attempt }) => `${status} ${attempt}`)).toEqual(ids.map(() => 'completed 1'));
    expect(asked(other, '/open')).toHaveLength(12);
    expect(mostAtOther).toBe(1);
  } finally {
    await Promise.all(doors.map((door) => door.close()));
  }
});
