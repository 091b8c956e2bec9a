import { openPageEngine } from '../../../scraping/engine/page-engine.ts';
import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { type Site, startSite } from '../../support/servers/site.ts';
import { startConnectProxy, startSocksProxy, type TestProxy } from '../../support/servers/upstream-proxy.ts';

/** Identity and proxies of a job's requests. */

let site: Site;
let scraper: Scraper;
let connectProxy: TestProxy;
let socksProxy: TestProxy;
const seen: { url: string; cookie: string; agent: string; language: string }[] = [];

beforeAll(async () => {
  const echo = `<!doctype html><title>Echo</title><p id="out"></p><script>
    document.getElementById('out').textContent = JSON.stringify({
      width: innerWidth, height: innerHeight, touch: navigator.maxTouchPoints, language: navigator.language,
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone, cookie: document.cookie,
    });
  </script>`;
  site = await startSite({
    pages: {
      '/echo': (request, response) => {
        const { cookie = '', 'user-agent': agent = '', 'accept-language': language = '' } = request.headers;
        seen.push({ url: request.url ?? '', cookie, agent, language });
        response.writeHead(200, { 'content-type': 'text/html' }).end(echo);
      },
      '/login': (_request, response) =>
        void response
          .writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'session=mine; Path=/; HttpOnly' })
          .end('<title>Login</title><p>Welcome</p>'),
      '/tls': '<title>Plain</title><p>Plain</p>',
    },
  });
  [connectProxy, socksProxy] = await Promise.all([startConnectProxy(), startSocksProxy()]);
  scraper = openScraper({ allow: ['127.0.0.0/8', 'localhost'], recycleAfterPages: 4 });
  await scraper.pool.start();
});

afterAll(async () => {
  await scraper.stop();
  await Promise.all([site.close(), connectProxy.close(), socksProxy.close()]);
});

const echo = async (spec: Parameters<Scraper['scrape']>[1] = {}) => {
  const { page } = await scraper.scrape(`${site.url}/echo`, {
    extract: { out: '#out' },
    urls: [`${site.url}/echo`],
    ...spec,
  });
  expect(page.error).toBeNull();
  return { ...JSON.parse(String(page.extracted?.out)), request: seen.at(-1) };
};

it('a page sees the viewport, language and time zone of the job', async () => {
  const spec = { viewport: { width: 700, height: 500 }, locale: 'pt-BR', timezone: 'America/Sao_Paulo' };
  expect(await echo(spec)).toMatchObject({
    ...{ width: 700, height: 500, touch: 0, language: 'pt-BR', zone: 'America/Sao_Paulo' },
    request: { language: expect.stringMatching(/^pt-BR/) },
  });
});

it('mobile has a narrow viewport, a touch screen and a mobile user agent', async () => {
  const phone = await echo({ mobile: true });
  expect(phone).toMatchObject({ request: { agent: expect.stringContaining('Mobile') } });
  expect(phone.touch).toBeGreaterThan(0);
  expect(await echo()).toMatchObject({ width: 1280, height: 800, touch: 0 });
});

describe('cookies', () => {
  it('are sent to the sites of the job, or to a named site only', async () => {
    const cookies = [
      { name: 'own', value: '1' },
      { name: 'other', value: '2', url: 'http://elsewhere.example/' },
      { name: 'secret', value: '3', http_only: true },
    ];
    const { cookie, request } = await echo({ cookies });
    expect(cookie).toBe('own=1');
    expect(request.cookie).toBe('own=1; secret=3');
  });

  it('that browsers reject are reported', async () => {
    const cookies = [{ name: '__Host-a', value: '1', domain: 'x.example' }];
    const { page } = await scraper.scrape(`${site.url}/echo`, { cookies });
    expect(page.error?.code).toBe('bad_cookie');
  });

  it('of a job are kept across its pages and browsers, and not shared with other jobs', async () => {
    const job = openPageEngine(
      { render: 'browser' },
      {
        ...scraper.context,
        signal: new AbortController().signal,
        pageTimeoutMs: 20_000,
        maxPageBytes: 1e7,
        tabs: 2,
      },
    );
    expect((await job.scrape(`${site.url}/login`)).page.error).toBeNull();
    const before = scraper.pool.pid;
    const pages = Array.from({ length: 8 }, (_, index) => job.scrape(`${site.url}/echo?${index}`));
    for (const { page } of await Promise.all(pages)) expect(page.error).toBeNull();
    await job.close();
    expect(scraper.pool.pid).not.toBe(before);
    expect(seen.slice(-8).map(({ cookie }) => cookie)).toEqual(Array(8).fill('session=mine'));
    expect((await echo()).request.cookie).toBe('');
  });
});

describe('a proxy', () => {
  it.each([
    ['http', () => connectProxy],
    ['socks5', () => socksProxy],
  ])(
    'of scheme %s gets the job with its credentials, and only the checked address',
    async (_kind, proxyOf) => {
      const proxy = proxyOf();
      const before = proxy.asked.length;
      const { page } = await scraper.scrape(`http://localhost:${site.port}/tls`, {
        proxy: proxy.url,
        formats: ['text'],
      });
      expect(page).toMatchObject({ error: null, text: expect.stringContaining('Plain') });
      expect(new Set(proxy.asked.slice(before))).toEqual(new Set([`127.0.0.1:${site.port}`]));
    },
  );

  it('gets no request that the guard blocks', async () => {
    const guarded = openScraper({ allow: [`127.0.0.1:${connectProxy.port}`] });
    const before = connectProxy.asked.length;
    try {
      const { page } = await guarded.scrape(`${site.url}/tls`, { proxy: connectProxy.url });
      expect(page.error?.code).toBe('egress_refused');
      expect(connectProxy.asked).toHaveLength(before);
    } finally {
      await guarded.stop();
    }
  });

  it('on a private network is refused like any other target', async () => {
    const guarded = openScraper({ allow: [site.authority] });
    try {
      const { page } = await guarded.scrape(`${site.url}/tls`, { proxy: connectProxy.url });
      expect(page.error?.code).toBe('proxy_failed');
      expect(guarded.logged).toContainEqual({
        event: 'proxy_failed',
        fields: { proxy: `127.0.0.1:${connectProxy.port}`, reason: 'egress_refused' },
      });
    } finally {
      await guarded.stop();
    }
  });

  it('that fails is replaced by the next, and neither log nor page contains its password', async () => {
    const [broken, spare] = await Promise.all([startConnectProxy(), startConnectProxy()]);
    broken.isBroken = true;
    try {
      for (let page = 0; page < 3; page++) {
        const scraped = await scraper.scrape(`${site.url}/tls`, { proxy: [broken.url, spare.url] });
        expect(scraped.page.error).toBeNull();
      }
      expect(spare.asked.length).toBeGreaterThanOrEqual(3);
      const failures = scraper.logged.filter(
        ({ event, fields }) => event === 'proxy_failed' && fields.proxy === `127.0.0.1:${broken.port}`,
      );
      // Set aside at its first failure, and not tried again soon.
      expect(failures).toHaveLength(1);
      const wrong = spare.url.replace('ada', 'eve');
      const { page } = await scraper.scrape(`${site.url}/tls`, { proxy: wrong });
      expect(page.error).toEqual({
        code: 'proxy_failed',
        message: 'none of the proxies of this job could be used',
      });
      expect(JSON.stringify(scraper.logged)).not.toMatch(/p%40ss|p@ss/);
    } finally {
      await Promise.all([broken.close(), spare.close()]);
    }
  });

  it('of the installation is used for jobs that name none', async () => {
    const through = openScraper({ allow: ['127.0.0.0/8'], proxies: [socksProxy.url] });
    const before = socksProxy.asked.length;
    try {
      expect((await through.scrape(`${site.url}/tls`)).page.error).toBeNull();
      expect(socksProxy.asked.length).toBeGreaterThan(before);
    } finally {
      await through.stop();
    }
  });
});
