import type { ServerResponse } from 'node:http';
import { connect, type Database } from '../../../db/connect.ts';
import { exchangePermits } from '../../../db/sites/hosts.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { createEgressGuard } from '../../../scraping/egress/guard.ts';
import { createProxyHealth } from '../../../scraping/egress/upstream-proxy.ts';
import { createHttpClient, type HttpClient } from '../../../scraping/http/client.ts';
import { createManners, type FleetManners } from '../../../workers/scraper/politeness/politeness.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type Site, startSite } from '../../support/servers/site.ts';

/** What robots.txt makes of a page: a real server, a real Postgres, and several processes' worth of manners. */

let testDatabase: TestDatabase;
let database: Database;
let http: HttpClient;
const opened: { stop(): Promise<void> }[] = [];
const sites: Site[] = [];
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connect({
    url: testDatabase.url,
    poolSize: 4,
    applicationName: 'manners-test',
    logger: silentLogger,
  });
  const guard = createEgressGuard({ allow: ['127.0.0.1'], logger: silentLogger });
  http = createHttpClient({
    guard,
    proxyHealth: createProxyHealth(),
    logger: silentLogger,
    userAgent: 'TestBot/1.0',
  });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((manners) => manners.stop()));
  await Promise.all(sites.splice(0).map((site) => site.close()));
});
afterAll(async () => {
  await http.stop();
  await database.stop();
  await testDatabase.drop();
});

function open(
  options: { respectRobots?: boolean; host?: { concurrency: number; gapMs: number } } = {},
): FleetManners {
  const manners = createManners({
    ...{ database, http, logger: silentLogger, userAgent: 'TestBot/1.0 (+https://example.com/)' },
    ...{ respectRobots: true, host: { concurrency: 8, gapMs: 0 }, leaseMs: 15_000 },
    ...options,
  });
  opened.push(manners);
  return manners;
}

async function siteWith(robots: (response: ServerResponse) => void): Promise<Site> {
  const site = await startSite({ pages: { '/robots.txt': (_request, response) => robots(response) } });
  sites.push(site);
  return site;
}

const never = new AbortController().signal;

/** `go`, `wait`, or why it is disallowed. */
async function verdict(manners: FleetManners, url: string): Promise<string> {
  const admission = await manners.admit(url, never);
  if (admission.kind === 'go') admission.done();
  return admission.kind === 'disallowed' ? admission.error.code : admission.kind;
}

test('one process reads robots.txt, and all go by it', async () => {
  const site = await siteWith((response) => response.end('User-agent: testbot\nDisallow: /private\n'));
  const fleet = [open(), open(), open()];
  const verdicts = await Promise.all(
    fleet.flatMap((manners) => ['/a', '/private/a', '/b'].map((path) => verdict(manners, site.url + path))),
  );
  expect(verdicts).toEqual([...Array(3)].flatMap(() => ['go', 'robots_disallowed', 'go']));
  expect(site.requests).toEqual(['/robots.txt']);
  expect(await verdict(open(), `${site.url}/private/b`)).toBe('robots_disallowed');
  expect(site.requests).toHaveLength(1);
});

test.each([
  [404, 'go'],
  [403, 'go'],
  [410, 'go'],
  [429, 'robots_unreadable'],
  [500, 'robots_unreadable'],
  [503, 'robots_unreadable'],
])('a robots.txt that is answered with %d: %s', async (status, expected) => {
  const site = await siteWith((response) => response.writeHead(status).end('User-agent: *\nDisallow: /\n'));
  expect(await verdict(open(), `${site.url}/page`)).toBe(expected);
});

test('five redirects are followed, and their end is what holds', async () => {
  const site = await startSite({
    otherwise: (request, response) => {
      const hop = Number(/\d+/.exec(request.url ?? '')?.[0] ?? 0);
      if (hop < 5) response.writeHead(302, { location: `/hop/${hop + 1}` }).end();
      else response.end('User-agent: *\nDisallow: /\n');
    },
  });
  sites.push(site);
  expect(await verdict(open(), `${site.url}/page`)).toBe('robots_disallowed');
  const endless = await siteWith((response) => response.writeHead(302, { location: '/robots.txt' }).end());
  expect(await verdict(open(), `${endless.url}/page`)).toBe('go');
});

test('a host that is not there is said to be just that', async () => {
  const site = await siteWith((response) => response.end());
  await site.close();
  expect(await verdict(open(), `${site.url}/page`)).toBe('connection_refused');
});

test('rules that were read before hold while the file cannot be read', async () => {
  let failing = false;
  const site = await siteWith((response) =>
    response.writeHead(failing ? 503 : 200).end('User-agent: *\nDisallow: /private\n'),
  );
  expect(await verdict(open(), `${site.url}/private`)).toBe('robots_disallowed');
  failing = true;
  await database.query({ name: 'age_robots', text: 'UPDATE robots SET fresh_until = to_timestamp(0)' });
  const later = open();
  expect(await verdict(later, `${site.url}/private`)).toBe('robots_disallowed');
  expect(await verdict(later, `${site.url}/open`)).toBe('go');
  expect(site.requests).toHaveLength(2);
});

test("one may do as one likes on sites of one's own", async () => {
  const site = await siteWith((response) => response.end('User-agent: *\nDisallow: /\n'));
  expect(await verdict(open({ respectRobots: false }), `${site.url}/page`)).toBe('go');
  expect(site.requests).toEqual([]);
});

test('a crawl delay is a gap for everybody, and a long one sends the job away', async () => {
  const site = await siteWith((response) => response.end('User-agent: *\nCrawl-delay: 30\nDisallow:\n'));
  expect(await verdict(open({ respectRobots: false }), `${site.url}/first`)).toBe('go');
  const [one, other] = [open(), open()];
  expect(await verdict(one, `${site.url}/a`)).toBe('go');
  const second = await other.admit(`${site.url}/b`, never);
  expect(second).toEqual({ kind: 'wait', ms: expect.any(Number) });
  if (second.kind === 'wait') expect(second.ms).toBeGreaterThan(20_000);
});

test('sitemaps are those that robots.txt names', async () => {
  const site = await siteWith((response) => response.end('Sitemap: /a.xml\nUser-agent: *\nDisallow: /\n'));
  expect(await open().sitemapsOf(`${site.url}/`, never)).toEqual(['/a.xml']);
});

test('a page led to another host goes by its robots.txt, holds a turn there, and leaves it the pause it asked for', async () => {
  const site = await siteWith((response) => response.end('User-agent: *\nDisallow: /private\n'));
  const other = await siteWith((response) => response.end('User-agent: *\nDisallow: /closed\n'));
  const [one, two] = [
    open({ host: { concurrency: 1, gapMs: 0 } }),
    open({ host: { concurrency: 1, gapMs: 0 } }),
  ];
  const admission = await one.admit(`${site.url}/`, never);
  if (admission.kind !== 'go') throw new Error(`expected to be admitted, got ${admission.kind}`);
  const disallowed = { kind: 'disallowed', error: { code: 'robots_disallowed' } };
  expect(await admission.follow(`${site.url}/private`)).toMatchObject(disallowed);
  expect(await admission.follow(`${other.url}/closed`)).toMatchObject(disallowed);
  expect(await admission.follow(`${other.url}/open`)).toEqual({ kind: 'go' });
  expect(await verdict(two, `${other.url}/open`)).toBe('wait');
  admission.done({ pauseMs: 60_000, host: new URL(other.url).host });
  expect(await verdict(two, `${site.url}/`)).toBe('go');
  expect(await verdict(two, `${other.url}/open`)).toBe('wait');
  expect([site, other].map(({ requests }) => requests)).toEqual([['/robots.txt'], ['/robots.txt']]);
});

test('hosts not known before and hosts known get their permits in one question', async () => {
  const limits = { most: 1, patienceMs: 0, leaseMs: 15_000 };
  const wish = (host: string, id: string) => ({
    host,
    ids: [id],
    back: 0,
    released: [],
    renewed: [],
    pauseMs: 0,
    gapMs: 0,
  });
  const ask = async (...wishes: Parameters<typeof exchangePermits>[2]) =>
    (await exchangePermits(database, limits, wishes)).map(({ granted }) => granted);
  expect(await ask(wish('known.example', 'a'))).toEqual([1]);
  await exchangePermits(database, limits, [{ ...wish('known.example', 'b'), ids: [], released: ['a'] }]);
  expect(await ask(wish('known.example', 'c'), wish('new.example', 'd'))).toEqual([1, 1]);
});
