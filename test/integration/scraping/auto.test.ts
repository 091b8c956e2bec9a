import { openDatabase } from '../../../db/open.ts';
import { renderingTypeStore } from '../../../db/sites/rendering-types.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { openPageEngine } from '../../../scraping/engine/page-engine.ts';
import { createRenderingTypeCache } from '../../../scraping/engine/rendering-type-cache.ts';
import type { ScrapeSpec } from '../../../scraping/fetching/page.ts';
import { answers, withPages } from '../../fixtures/site/pages.ts';
import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { openSite, type Site } from '../../fixtures/site/site.ts';
import { createTestDatabase } from '../../support/database.ts';
import type { SiteHandler } from '../../support/servers/site.ts';

let site: Site;
let scraper: Scraper;

beforeAll(async () => {
  site = await openSite();
  scraper = openScraper({ allow: [`127.0.0.1:${site.port}`] });
});
afterAll(async () => {
  await scraper.stop();
  await site.close();
});

const at = (path: string) => `${site.origin}${path}`;

describe('render auto', () => {
  const auto = async (own: Scraper, url: string, spec: ScrapeSpec = {}) =>
    (await own.scrape(url, { render: 'auto', formats: ['markdown'], ...spec })).page;

  it('fetches a complete page by plain HTTP', async () => {
    expect(await auto(scraper, at('/docs.html'))).toMatchObject({ engine: 'http', error: null });
    expect(await auto(scraper, at('/status?code=404'))).toMatchObject({
      engine: 'http',
      error: { code: 'http_client_error' },
    });
  });

  it('loads a script-rendered page in the browser', async () => {
    const page = await auto(scraper, at('/app.html'));
    expect(page).toMatchObject({ engine: 'browser', title: 'Catalogue', error: null });
    expect(page.markdown).toContain(`[Thing 2](${at('/items/2')})`);
  });

  it('uses the browser at once for a screenshot or an action', async () => {
    const before = site.requests.length;
    const shown = await auto(scraper, at('/docs.html?pictured'), { formats: ['markdown', 'screenshot'] });
    expect(shown.engine).toBe('browser');
    const scrolled = await auto(scraper, at('/docs.html?scrolled'), { actions: [{ type: 'scroll' }] });
    expect(scrolled.engine).toBe('browser');
    const asked = site.requests.slice(before).map(({ url }) => url);
    expect(asked.filter((url) => url === '/docs.html?pictured')).toHaveLength(1);
  });

  it('follows a page that redirects itself', async () => {
    await withPages(
      {
        '/old': '<meta http-equiv="refresh" content="0; url=/new"><p>We have moved.</p>',
        '/script': '<script>location.replace("/new")</script>',
        '/new': '<title>New</title><h1>The new place</h1>',
      },
      async (url, own) => {
        for (const path of ['/old', '/script']) {
          expect(await auto(own, `${url}${path}`)).toMatchObject({
            engine: 'browser',
            final_url: `${url}/new`,
            markdown: '# The new place',
          });
        }
      },
    );
  });

  it('loads a page behind a bot check in the browser, and reports the check if it stays', async () => {
    await withPages(
      {
        '/': (request, response) => {
          if (request.headers.cookie?.includes('passed=1')) {
            response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Behind the gate</h1>');
            return;
          }
          response.writeHead(403, { 'content-type': 'text/html', 'cf-mitigated': 'challenge' });
          response.end(
            '<title>Just a moment...</title><script>document.cookie = "passed=1"; location.reload()</script>',
          );
        },
        '/closed': answers('<title>Just a moment...</title>Checking.', { 'cf-mitigated': 'challenge' }, 403),
      },
      async (url, own) => {
        expect(await auto(own, `${url}/`)).toMatchObject({
          engine: 'browser',
          status_code: 200,
          markdown: '# Behind the gate',
          error: null,
        });
        expect(await auto(own, `${url}/closed`)).toMatchObject({
          status_code: 403,
          error: { code: 'http_client_error' },
        });
      },
    );
  });

  it('fetches several pages of a job at once by HTTP, and one after the other in the browser', async () => {
    let open = 0;
    let most = 0;
    const counted: SiteHandler = (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      const answer = () => {
        open -= 1;
        response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Counted</h1>');
      };
      // The server responds to several requests together, so a single one would wait for ever.
      waiting.push(answer);
      if (waiting.length === 4) for (const each of waiting.splice(0)) each();
    };
    const waiting: (() => void)[] = [];
    await withPages({ '/counted': counted }, async (url, own) => {
      const job = openPageEngine(
        { render: 'auto' },
        { ...own.context, signal: new AbortController().signal, pageTimeoutMs: 20_000, maxPageBytes: 1e7 },
      );
      expect(job.concurrency).toBe(4);
      const pages = await Promise.all([1, 2, 3, 4].map((n) => job.scrape(`${url}/counted?n=${n}`)));
      expect(pages.map(({ page }) => page.error)).toEqual([null, null, null, null]);
      expect(most).toBe(4);
      const drawn = await Promise.all([1, 2].map((n) => job.scrape(at(`/app.html?n=${n}`))));
      expect(drawn.map(({ page }) => page.error?.code)).toEqual(['egress_refused', 'egress_refused']);
      await job.close();
    });
  });
});

describe('the rendering type of a host', () => {
  const shell =
    '<div id="root"></div><script>document.getElementById("root").textContent = "Drawn ".repeat(80)</script>';

  it('is recorded by one worker and used by another', async () => {
    const { url: databaseUrl, drop } = await createTestDatabase();
    const database = await openDatabase({
      url: databaseUrl,
      poolSize: 2,
      applicationName: 'test',
      logger: silentLogger,
    });
    try {
      await withPages(
        { '/1': shell, '/2': shell, '/3': shell, '/plain': '<h1>Plain</h1>' },
        async (url, own, small) => {
          const worker = () => {
            const renderingTypes = createRenderingTypeCache(renderingTypeStore(database), silentLogger);
            return openPageEngine(
              { render: 'auto', formats: ['text'] },
              {
                ...own.context,
                ...{
                  renderingTypes,
                  signal: new AbortController().signal,
                  pageTimeoutMs: 20_000,
                  maxPageBytes: 1e7,
                },
              },
            );
          };
          const [first, second] = [worker(), worker()];
          const requestsOf = (path: string) => small.requests.filter((asked) => asked === path).length;
          for (const path of ['/1', '/2']) {
            expect((await first.scrape(`${url}${path}`)).page).toMatchObject({
              engine: 'browser',
              error: null,
            });
            // Once by plain HTTP, and once in the browser.
            expect(requestsOf(path)).toBe(2);
          }
          expect((await second.scrape(`${url}/3`)).page.engine).toBe('browser');
          expect(requestsOf('/3')).toBe(1);

          // Hosts change: once the record is old, plain HTTP is tried again, and its result
          // recorded.
          await database.knex.raw(`UPDATE rendering_types SET seen_at = now() - interval '8 days'`);
          const third = worker();
          expect((await third.scrape(`${url}/plain`)).page.engine).toBe('http');
          const { rows } = await database.knex.raw(
            'SELECT host, engine, reason, streak FROM rendering_types',
          );
          expect(rows).toEqual([
            { host: new URL(url).host, engine: 'http', reason: 'whole_page', streak: 1 },
          ]);
          await Promise.all([first.close(), second.close(), third.close()]);
        },
      );
    } finally {
      await database.stop();
      await drop();
    }
  });

  it('does not matter if its store is unreachable', async () => {
    const broken = {
      find: async () => {
        throw new Error('the database is away');
      },
      record: async () => {
        throw new Error('the database is away');
      },
    };
    await withPages({ '/1': shell }, async (url, own) => {
      const job = openPageEngine(
        { render: 'auto', formats: ['text'] },
        {
          ...own.context,
          renderingTypes: createRenderingTypeCache(broken, silentLogger),
          ...{ signal: new AbortController().signal, pageTimeoutMs: 20_000, maxPageBytes: 1e7 },
        },
      );
      expect((await job.scrape(`${url}/1`)).page).toMatchObject({ engine: 'browser', error: null });
      await job.close();
    });
  });
});
