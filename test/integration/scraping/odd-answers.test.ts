import type { Page } from '../../../core/jobs/page.ts';
import { openPageEngine } from '../../../scraping/engine/page-engine.ts';
import type { ScrapeSpec } from '../../../scraping/fetching/page.ts';
import { ODD_ANSWERS, type OddAnswer, PAGE, REDIRECTS, WORDS } from '../../fixtures/odd-answers/answers.ts';
import { randomAnswer, seedsOf } from '../../fixtures/odd-answers/random-answers.ts';
import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { type RawAnswer, type RawSite, startRawSite } from '../../support/servers/raw-site.ts';

/** Malformed responses, and the result of both engines. */

let scraper: Scraper;
const sites: RawSite[] = [];
beforeAll(async () => {
  scraper = openScraper({ allow: ['127.0.0.1'] });
  await scraper.pool.start();
});
afterEach(async () => {
  await Promise.all(sites.splice(0).map((site) => site.close()));
});
afterAll(() => scraper.stop());

const html = (body: string, ...headers: string[]): RawAnswer => ({
  bytes: Buffer.from(
    ['HTTP/1.1 200 OK', 'Content-Type: text/html', ...headers, 'Connection: close', '', body].join('\r\n'),
    'latin1',
  ),
});

async function siteOf(answerTo: (path: string) => RawAnswer): Promise<RawSite> {
  const site = await startRawSite(answerTo);
  sites.push(site);
  return site;
}

const ENGINES = ['http', 'browser'] as const;
const scrape = async (url: string, render: ScrapeSpec['render']): Promise<Page> =>
  (await scraper.scrape(url, { render, formats: ['text', 'raw_html'] })).page;

describe.each(Object.entries(ODD_ANSWERS))('%s', (_name, answer: OddAnswer) => {
  it(`is ${answer.expected === 'page' ? 'a page' : 'an error'} to both engines`, async () => {
    const site = await siteOf(() => answer);
    const byEngine: Partial<Record<(typeof ENGINES)[number], Page>> = {};
    for (const engine of ENGINES) {
      const page = await scrape(`${site.url}/`, engine);
      byEngine[engine] = page;
      if (answer.expected === 'error' || (engine === 'browser' && answer.onlyByHttp)) {
        expect({ engine, error: page.error?.code }).toEqual({ engine, error: expect.any(String) });
      } else {
        expect({ engine, error: page.error, status: page.status_code }).toEqual({
          ...{ engine, error: null, status: answer.status ?? 200 },
        });
        expect(page.text).toContain(WORDS);
      }
    }
    if (answer.onlyByHttp) return;
    const { http, browser } = byEngine;
    expect(http?.error?.code).toBe(browser?.error?.code);
    for (const key of ['title', 'final_url'] as const) {
      if (http?.error === null) expect(http[key]).toBe(browser?.[key]);
    }
    if (http?.error === null && http.content_type !== null)
      expect(http.content_type).toBe(browser?.content_type);
  });
});

describe('a redirect', () => {
  it.each(Object.entries(REDIRECTS))('with %s is followed as in browsers', async (_name, redirect) => {
    const site = await siteOf((path) => {
      if (path !== '/from') return html(PAGE);
      const location = redirect.location.join('\r\n').replace('HOST', site.authority);
      return { bytes: Buffer.from(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\n\r\n`, 'latin1') };
    });
    for (const engine of ENGINES) {
      site.requests.length = 0;
      const page = await scrape(`${site.url}/from#asked`, engine);
      const asked = site.requests.map((request) => request.split(' ')[1]);
      expect({ engine, asked, error: page.error }).toEqual({
        ...{ engine, asked: ['/from', redirect.asks], error: null },
      });
      expect(page.final_url).toBe(`${site.url}${redirect.asks}${redirect.hash ?? '#asked'}`);
    }
  });
});

describe('in a page of the browser', () => {
  const inOneSession = async (site: RawSite, paths: string[]) => {
    const session = openPageEngine(
      { render: 'browser', formats: ['text'] },
      {
        ...{ ...scraper.context, signal: new AbortController().signal },
        ...{ pageTimeoutMs: 20_000, maxPageBytes: 20_000_000 },
      },
    );
    try {
      const pages: Page[] = [];
      for (const path of paths) pages.push((await session.scrape(`${site.url}${path}`)).page);
      return pages;
    } finally {
      await session.close();
    }
  };

  it('a 407 from a site does not make the browser drop its proxy credentials', async () => {
    const asking =
      'HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm="egress"\r\nConnection: close\r\n\r\n';
    const site = await siteOf((path) => {
      if (path.startsWith('/407')) return { bytes: Buffer.from(`${asking}${PAGE}`) };
      if (path === '/with') return html(`${PAGE}<script src="/407.js"></script><iframe src="/407"></iframe>`);
      return html(PAGE);
    });
    const pages = await inOneSession(site, ['/', '/with', '/', '/407', '/']);
    expect(pages.map(({ error }) => error?.code ?? null)).toEqual([
      null,
      null,
      null,
      'connection_failed',
      null,
    ]);
    expect(site.requests.filter((request) => /proxy-auth/i.test(request))).toEqual([]);
  });

  it('a server that keeps connections open despite `Connection: close` loses no request', async () => {
    const keep = (body: string): RawAnswer => ({
      bytes: Buffer.from(
        `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${body.length}\r\nConnection: keep-alive\r\n\r\n${body}`,
      ),
      end: 'keep',
    });
    const scripts = Array.from({ length: 20 }, (_, i) => `<script src="/${i}.js"></script>`).join('');
    const post = `<script>fetch('/post', { method: 'POST', body: 'x' }).then(() => { document.title = 'posted ' + window.ran })</script>`;
    const site = await siteOf((path) =>
      path.endsWith('.js') ? keep('window.ran = (window.ran ?? 0) + 1') : keep(`${PAGE}${scripts}${post}`),
    );
    const [page] = await inOneSession(site, ['/']);
    expect(page).toMatchObject({ title: 'posted 20', error: null });
    // Each once, the form too.
    expect(site.requests).toHaveLength(22);
  });

  it('randomly corrupted responses fail on their own: page and process continue', async () => {
    const { first, last } = seedsOf(200);
    const perPage = 100;
    const site = await siteOf((path) => {
      const from = /^\/page\/(\d+)$/.exec(path)?.[1];
      if (from === undefined) return randomAnswer(Number(/^\/odd\/(\d+)/.exec(path)?.[1] ?? 0));
      return html(`<title>waiting</title><p>${WORDS}</p><script>
        const asked = (i) => '/odd/' + (${from} + i);
        const one = (i) => i % 4 === 0
          ? new Promise((done) => { const s = document.createElement('script'); s.onload = s.onerror = done; s.src = asked(i); document.head.append(s) })
          : fetch(asked(i), { redirect: i % 4 === 1 ? 'manual' : 'follow' }).then((r) => r.text()).catch(() => {});
        Promise.all(Array.from({ length: ${perPage} }, (_, i) => one(i))).then(() => { document.body.append(Object.assign(document.createElement('i'), { id: 'over' })) });
      </script>`);
    });
    for (let from = first; from < last; from += perPage) {
      const { page } = await scraper.scrape(
        `${site.url}/page/${from}`,
        { formats: ['text'], actions: [{ type: 'wait', selector: '#over' }] },
        { pageTimeoutMs: 60_000 },
      );
      expect({ from, error: page.error }).toEqual({ from, error: null });
    }
    const asked = new Set(site.requests.map((request) => /\/odd\/(\d+)/.exec(request)?.[1]));
    expect(asked.size).toBeGreaterThanOrEqual(last - first);
    // This process relayed the responses: it is still running.
    const { page } = await scraper.scrape(
      `${site.url}/page/0`,
      { render: 'browser', formats: ['text'] },
      { pageTimeoutMs: 60_000 },
    );
    expect(page.text).toContain(WORDS);
  }, 1_800_000);
});
