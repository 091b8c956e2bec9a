import type { ServerResponse } from 'node:http';
import { connect, type Database } from '../../../db/connect.ts';
import { syncPermits } from '../../../db/sites/hosts.ts';
import { statement } from '../../../db/statement.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { createEgressGuard } from '../../../scraping/egress/guard.ts';
import { createProxyHealth } from '../../../scraping/egress/upstream-proxy.ts';
import { createHttpClient, type HttpClient } from '../../../scraping/http/client.ts';
import { createPoliteness, type Politeness } from '../../../workers/scraper/politeness/politeness.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startRawSite } from '../../support/servers/raw-site.ts';
import { type Site, startSite } from '../../support/servers/site.ts';
import { waitFor } from '../../support/wait-for.ts';

/**
 * How robots.txt applies to a page: a real server, a real Postgres, and several processes' worth of
 * politeness.
 */

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
    applicationName: 'politeness-test',
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
  await Promise.all(opened.splice(0).map((politeness) => politeness.stop()));
  await Promise.all(sites.splice(0).map((site) => site.close()));
});
afterAll(async () => {
  await http.stop();
  await database.stop();
  await testDatabase.drop();
});

function open(
  options: { respectRobots?: boolean; host?: { concurrency: number; gapMs: number } } = {},
): Politeness {
  const politeness = createPoliteness({
    ...{ database, http, logger: silentLogger, userAgent: 'TestBot/1.0 (+https://example.com/)' },
    ...{ respectRobots: true, host: { concurrency: 8, gapMs: 0 }, leaseMs: 15_000 },
    ...options,
  });
  opened.push(politeness);
  return politeness;
}

async function siteWith(robots: (response: ServerResponse) => void): Promise<Site> {
  const site = await startSite({ pages: { '/robots.txt': (_request, response) => robots(response) } });
  sites.push(site);
  return site;
}

const never = new AbortController().signal;

/** `granted`, `wait`, or why it is disallowed. */
async function ask(politeness: Politeness, url: string, isResumed = false): Promise<string> {
  const acquired = await politeness.acquire(url, never, { isResumed });
  if (acquired.kind === 'granted') acquired[Symbol.dispose]();
  return acquired.kind === 'disallowed' ? acquired.error.code : acquired.kind;
}

/**
 * The result of a page that retries as often as it must: a busy machine may need more than one try.
 */
async function decision(politeness: Politeness, url: string): Promise<string> {
  let isResumed = false;
  return waitFor(async () => {
    const answer = await ask(politeness, url, isResumed);
    isResumed = true;
    return answer !== 'wait' && answer;
  });
}

test('one process fetches robots.txt, and all apply it', async () => {
  const site = await siteWith((response) => response.end('User-agent: testbot\nDisallow: /private\n'));
  const fleet = [open(), open(), open()];
  const decisions = await Promise.all(
    fleet.flatMap((politeness) =>
      ['/a', '/private/a', '/b'].map((path) => decision(politeness, site.url + path)),
    ),
  );
  expect(decisions).toEqual([...Array(3)].flatMap(() => ['granted', 'robots_disallowed', 'granted']));
  expect(site.requests).toEqual(['/robots.txt']);
  expect(await decision(open(), `${site.url}/private/b`)).toBe('robots_disallowed');
  expect(site.requests).toHaveLength(1);
});

test.each([
  [404, 'granted'],
  [403, 'granted'],
  [410, 'granted'],
  [429, 'robots_unreadable'],
  [500, 'robots_unreadable'],
  [503, 'robots_unreadable'],
])('a robots.txt that is answered with %d: %s', async (status, expected) => {
  const site = await siteWith((response) => response.writeHead(status).end('User-agent: *\nDisallow: /\n'));
  expect(await decision(open(), `${site.url}/page`)).toBe(expected);
});

test.each([
  ['with LF alone', 'HTTP/1.1 200 OK\nContent-Type: text/plain\n\nUser-agent: *\nDisallow: /private\n'],
  ['with a line without a colon', 'HTTP/1.1 200 OK\r\nodd\r\n\r\nUser-agent: *\nDisallow: /private\n'],
  [
    'with a length twice',
    `HTTP/1.1 200 OK${'\r\nContent-Length: 33'.repeat(2)}\r\n\r\nUser-agent: *\nDisallow: /private\n`,
  ],
  [
    'in chunks beside a length',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n21\r\nUser-agent: *\nDisallow: /private\n\r\n0\r\n\r\n',
  ],
  ['announced', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /private\n'],
  ['cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nUser-agent: *\nDisallow: /private\n'],
])('a robots.txt %s is read', async (_name, answer) => {
  const site = await startRawSite(() => ({ bytes: Buffer.from(answer) }));
  try {
    const politeness = open();
    expect(await decision(politeness, `${site.url}/page`)).toBe('granted');
    expect(await decision(politeness, `${site.url}/private`)).toBe('robots_disallowed');
    expect(site.requests).toHaveLength(1);
  } finally {
    await site.close();
  }
});

test('a fetch lock of robots.txt without a result expires', async () => {
  let isCut = true;
  const site = await startRawSite(() => ({
    bytes: Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n${isCut ? '' : '# empty'}`),
  }));
  try {
    expect(await decision(open(), `${site.url}/page`)).toBe('connection_failed');
    isCut = false;
    await waitFor(async () => (await decision(open(), `${site.url}/page`)) === 'granted', {
      ...{ timeoutMs: 20_000, what: 'the file to be fetched again' },
    });
  } finally {
    await site.close();
  }
});

test("five redirects are followed, and the last target's rules apply", async () => {
  const site = await startSite({
    otherwise: (request, response) => {
      const hop = Number(/\d+/.exec(request.url ?? '')?.[0] ?? 0);
      if (hop < 5) response.writeHead(302, { location: `/hop/${hop + 1}` }).end();
      else response.end('User-agent: *\nDisallow: /\n');
    },
  });
  sites.push(site);
  expect(await decision(open(), `${site.url}/page`)).toBe('robots_disallowed');
  const endless = await siteWith((response) => response.writeHead(302, { location: '/robots.txt' }).end());
  expect(await decision(open(), `${endless.url}/page`)).toBe('granted');
});

test('a host that does not exist is reported as such', async () => {
  const site = await siteWith((response) => response.end());
  await site.close();
  expect(await decision(open(), `${site.url}/page`)).toBe('connection_refused');
});

test('earlier rules hold while the file cannot be read', async () => {
  let failing = false;
  const site = await siteWith((response) =>
    response.writeHead(failing ? 503 : 200).end('User-agent: *\nDisallow: /private\n'),
  );
  expect(await decision(open(), `${site.url}/private`)).toBe('robots_disallowed');
  failing = true;
  await database.query(statement('age_robots', 'UPDATE robots SET fresh_until = to_timestamp(0)'));
  const later = open();
  expect(await decision(later, `${site.url}/private`)).toBe('robots_disallowed');
  expect(await decision(later, `${site.url}/open`)).toBe('granted');
  expect(site.requests).toHaveLength(2);
});

test('RESPECT_ROBOTS=false disables robots.txt', async () => {
  const site = await siteWith((response) => response.end('User-agent: *\nDisallow: /\n'));
  expect(await decision(open({ respectRobots: false }), `${site.url}/page`)).toBe('granted');
  expect(site.requests).toEqual([]);
});

test('a crawl delay is a gap for all processes, and a long one snoozes the job', async () => {
  const site = await siteWith((response) => response.end('User-agent: *\nCrawl-delay: 30\nDisallow:\n'));
  expect(await decision(open({ respectRobots: false }), `${site.url}/first`)).toBe('granted');
  const [one, other] = [open(), open()];
  expect(await decision(one, `${site.url}/a`)).toBe('granted');
  const second = await other.acquire(`${site.url}/b`, never);
  expect(second).toEqual({ kind: 'wait', ms: expect.any(Number) });
  if (second.kind === 'wait') expect(second.ms).toBeGreaterThan(20_000);
});

test('sitemaps are those that robots.txt names', async () => {
  const site = await siteWith((response) => response.end('Sitemap: /a.xml\nUser-agent: *\nDisallow: /\n'));
  expect(await open().sitemapsOf(`${site.url}/`, never)).toEqual(['/a.xml']);
});

test('a page redirected to another host obeys its robots.txt, holds a permit there, and passes its pause on', async () => {
  const site = await siteWith((response) => response.end('User-agent: *\nDisallow: /private\n'));
  const other = await siteWith((response) => response.end('User-agent: *\nDisallow: /closed\n'));
  const [one, two] = [
    open({ host: { concurrency: 1, gapMs: 0 } }),
    open({ host: { concurrency: 1, gapMs: 0 } }),
  ];
  const permit = await waitFor(async () => {
    const acquired = await one.acquire(`${site.url}/`, never, { isResumed: true });
    if (acquired.kind === 'disallowed') throw new Error(`expected a permit, got ${acquired.error.code}`);
    return acquired.kind === 'granted' && acquired;
  });
  /** As if the page were redirected there again. */
  const follow = (url: string) =>
    waitFor(async () => {
      const decision = await permit.follow(url);
      return decision.kind !== 'wait' && decision;
    });
  const disallowed = { kind: 'disallowed', error: { code: 'robots_disallowed' } };
  expect(await follow(`${site.url}/private`)).toMatchObject(disallowed);
  expect(await follow(`${other.url}/closed`)).toMatchObject(disallowed);
  expect(await follow(`${other.url}/open`)).toEqual({ kind: 'granted' });
  expect(await ask(two, `${other.url}/open`)).toBe('wait');
  permit.pause(60_000, new URL(other.url).host);
  permit[Symbol.dispose]();
  expect(await decision(two, `${site.url}/`)).toBe('granted');
  expect(await ask(two, `${other.url}/open`)).toBe('wait');
  expect([site, other].map(({ requests }) => requests)).toEqual([['/robots.txt'], ['/robots.txt']]);
});

test('new and known hosts get their permits in one statement', async () => {
  const limits = { maxPermits: 1, maxWaitMs: 0, leaseMs: 15_000 };
  const wish = (host: string, id: string) => ({
    host,
    ids: [id],
    resumed: 0,
    released: [],
    renewed: [],
    pauseMs: 0,
    gapMs: 0,
  });
  const grants = async (...wishes: Parameters<typeof syncPermits>[2]) =>
    (await syncPermits(database, limits, wishes)).map(({ granted }) => granted);
  expect(await grants(wish('known.example', 'a'))).toEqual([1]);
  await syncPermits(database, limits, [{ ...wish('known.example', 'b'), ids: [], released: ['a'] }]);
  expect(await grants(wish('known.example', 'c'), wish('new.example', 'd'))).toEqual([1, 1]);
});
