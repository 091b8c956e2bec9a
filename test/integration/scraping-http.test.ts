import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { openDatabase } from '../../db/open.ts';
import { renderVerdictStore } from '../../db/render-verdicts.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { createRenderMemory } from '../../scraping/render-memory.ts';
import { openScraping, type ScrapeSpec } from '../../scraping/scrape.ts';
import { openScraper, type Scraper } from '../fixtures/site/scraper.ts';
import { selfSigned } from '../fixtures/site/self-signed.ts';
import { openSite, type Site } from '../fixtures/site/site.ts';
import { createTestDatabase } from '../support/database.ts';
import { type SiteHandler, type Site as SmallSite, startSite } from '../support/site.ts';

let site: Site;
/** On loopback too, but on a port the guard does not open. */
let inner: Site;
let scraper: Scraper;
let small: SmallSite | undefined;

beforeAll(async () => {
  [site, inner] = await Promise.all([openSite(), openSite()]);
  scraper = openScraper({ allow: [`127.0.0.1:${site.port}`] });
});
afterAll(async () => {
  await scraper.stop();
  await Promise.all([site.close(), inner.close()]);
});
afterEach(async () => {
  await small?.close();
  small = undefined;
});

const at = (path: string) => `${site.origin}${path}`;
const byHttp = async (url: string, spec: ScrapeSpec = {}, limits = {}) =>
  (await scraper.scrape(url, { render: 'http', ...spec }, limits)).page;

/** A site of these pages, and a scraper that may reach it. */
async function withPages<T>(
  pages: Record<string, string | SiteHandler>,
  use: (url: string, own: Scraper) => Promise<T>,
): Promise<T> {
  small = await startSite({ pages });
  const own = openScraper({ allow: [small.authority] });
  try {
    return await use(small.url, own);
  } finally {
    await own.stop();
    await small.close();
  }
}

const answers =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200): SiteHandler =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body);

describe('a page by plain HTTP', () => {
  it('is the same as in the browser, where no script draws it', async () => {
    const formats: ScrapeSpec['formats'] = ['markdown', 'html', 'text', 'links', 'metadata'];
    const extract = { heading: 'h1', links: { selector: 'a', attribute: 'href', many: true } };
    for (const path of ['/docs.html', '/metadata.html', '/status?code=404', '/redirect?to=/docs.html']) {
      const plain = await byHttp(at(path), { formats, extract });
      const { page: drawn } = await scraper.scrape(at(path), { render: 'browser', formats, extract });
      const { engine, fetched_at, duration_ms, ...rest } = plain;
      expect({ engine, path }).toEqual({ engine: 'http', path });
      expect(rest).toEqual({
        ...drawn,
        engine: undefined,
        fetched_at: undefined,
        duration_ms: undefined,
      });
    }
  });

  it('may be empty', async () => {
    expect(await byHttp(at('/empty'))).toMatchObject({
      final_url: at('/empty'),
      status_code: 204,
      markdown: '',
      links: [],
      error: null,
    });
  });

  it('starts no browser', async () => {
    const own = openScraper({ allow: [`127.0.0.1:${site.port}`] });
    try {
      const { page } = await own.scrape(at('/article.html'), { render: 'http' });
      expect(page.markdown).toContain('# How canal locks work');
      expect(own.logged.map(({ event }) => event)).not.toContain('browser_launched');
    } finally {
      await own.stop();
    }
  });

  it('says who asks, and gives the headers of the job to its own origin alone', async () => {
    const spec: ScrapeSpec = { formats: ['text'], headers: { 'X-Key': 'secret' } };
    expect((await byHttp(at('/echo'), spec)).text).toMatch(
      /"user-agent":"TestReader\/1\.0".*"x-key":"secret"/,
    );
    const pages: Record<string, SiteHandler> = { '/in': answers('', { location: at('/echo') }, 302) };
    small = await startSite({ pages });
    const both = openScraper({ allow: ['127.0.0.1'] });
    try {
      const { page } = await both.scrape(`${small.url}/in`, { render: 'http', ...spec });
      expect(page.final_url).toBe(at('/echo'));
      expect(page.text).not.toContain('secret');
    } finally {
      await both.stop();
    }
  });

  it('keeps the cookies of its job, and of no other', async () => {
    const job = openScraping(
      { render: 'http', formats: ['text'] },
      { ...scraper.context, signal: new AbortController().signal, pageTimeoutMs: 20_000, maxPageBytes: 1e7 },
    );
    await job.scrape(at('/set-cookie'));
    expect((await job.scrape(at('/echo'))).page.text).toContain('who=me');
    await job.close();
    expect((await byHttp(at('/echo'), { formats: ['text'] })).text).not.toContain('who=me');
  });

  it('is read in its own encoding', async () => {
    await withPages(
      {
        '/header': answers(Buffer.from('<title>\xb1</title><p>\xb1', 'latin1'), {
          'content-type': 'text/html; charset=iso-8859-2',
        }),
        '/meta': answers(Buffer.from('<meta charset=windows-1251><p>\xcf\xf0\xe8\xe2\xe5\xf2', 'latin1')),
        '/quotes': answers(Buffer.from('<p>\x93so\x94', 'latin1')),
        '/zipped': answers(gzipSync('<meta charset=utf-8><p>Fähre'), { 'content-encoding': 'gzip' }),
      },
      async (url, own) => {
        const read = async (path: string) => {
          const { page } = await own.scrape(`${url}${path}`, {
            render: 'http',
            formats: ['text', 'metadata'],
          });
          return [page.text, page.metadata?.charset];
        };
        expect(await read('/header')).toEqual(['ą', 'ISO-8859-2']);
        expect(await read('/meta')).toEqual(['Привет', 'windows-1251']);
        expect(await read('/quotes')).toEqual(['“so”', 'windows-1252']);
        expect(await read('/zipped')).toEqual(['Fähre', 'UTF-8']);
      },
    );
  });

  it('may be text, JSON or a feed', async () => {
    const feed = `<?xml version="1.0"?><rss version="2.0"><channel><title>Lock news</title><link>https://locks.example/</link>
      <description>What moves</description><item><title>Gate &amp; paddle</title><link>https://locks.example/1</link>
      <pubDate>Fri, 03 May 2024 10:00:00 GMT</pubDate><description><![CDATA[<p>New <b>gates</b>.</p>]]></description></item></channel></rss>`;
    await withPages(
      {
        '/text': answers('one <two>\n  three', { 'content-type': 'text/plain' }),
        '/json': answers('{"height":[2]}', { 'content-type': 'application/json' }),
        '/feed': answers(feed, { 'content-type': 'application/rss+xml' }),
        '/xml': answers('<lock height="2"/>', { 'content-type': 'application/xml' }),
      },
      async (url, own) => {
        const read = async (path: string, formats: ScrapeSpec['formats'] = ['markdown']) =>
          (await own.scrape(`${url}${path}`, { formats, render: 'http' })).page;
        expect((await read('/text')).markdown).toBe('```\none <two>\n  three\n```');
        expect((await read('/json')).markdown).toBe('```json\n{\n  "height": [\n    2\n  ]\n}\n```');
        expect(await read('/json', ['raw_html'])).toMatchObject({ raw_html: '{"height":[2]}', error: null });
        expect((await read('/xml')).markdown).toBe('```xml\n<lock height="2"/>\n```');
        const page = await read('/feed', ['markdown', 'links']);
        expect(page).toMatchObject({ title: 'Lock news', content_type: 'application/rss+xml' });
        expect(page.markdown).toContain('## [Gate & paddle](https://locks.example/1)');
        expect(page.markdown).toContain('New **gates**.');
        expect(page.links).toEqual([
          { url: 'https://locks.example/1', text: 'Gate & paddle', kind: 'external' },
        ]);
      },
    );
  });

  it.each(['/download', '/picture'])('is not %s', async (path) => {
    expect(await byHttp(at(path))).toMatchObject({
      status_code: 200,
      engine: 'http',
      error: { code: 'unsupported_content' },
    });
  });

  it('names a selector that is no CSS', async () => {
    expect(await byHttp(at('/docs.html'), { extract: { bad: 'h1[', good: 'title' } })).toMatchObject({
      extracted: { bad: null, good: expect.stringMatching(/./) },
      error: { code: 'bad_selector', message: 'extract: the selector of bad is not valid CSS' },
    });
  });

  it.each([
    ['/huge?mb=2', 'page_too_large'],
    ['/huge?mb=2&length', 'page_too_large'],
    ['/bomb', 'page_too_large'],
    ['/redirect-loop', 'too_many_redirects'],
    ['/reset', 'connection_failed'],
  ])('%s ends with %s', async (path, code) => {
    expect((await byHttp(at(path), {}, { maxPageBytes: 1_000_000 })).error?.code).toBe(code);
  });

  it.each(['/silent', '/endless'])('%s is given up when its time is up', async (path) => {
    expect((await byHttp(at(path), {}, { pageTimeoutMs: 300 })).error?.code).toBe('page_timeout');
  });

  it('is left when its job is cancelled', async () => {
    const cancel = new AbortController();
    const page = byHttp(at('/silent?cancelled'), {}, { signal: cancel.signal });
    cancel.abort(new Error('cancelled by the user'));
    await expect(page).rejects.toThrow('cancelled by the user');
  });

  it('has a certificate that somebody vouches for', async () => {
    const server = createTlsServer(selfSigned, (_request, response) => response.end('hi'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const own = openScraper({ allow: [`127.0.0.1:${port}`] });
    try {
      const { page } = await own.scrape(`https://127.0.0.1:${port}/`, { render: 'http' });
      expect(page.error?.code).toBe('tls_failed');
    } finally {
      await own.stop();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('an address that is not to be reached', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://017700000001/',
    'http://0x7f000001/',
    'http://0x7f.1/',
    'http://127.1:8080/',
    'http://localhost/',
    'http://LOCALHOST/',
    'http://localhost./',
    'http://127.0.0.1./',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[fd00::1]/',
    'http://[fe80::1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://100.100.100.200/latest/meta-data/',
    'http://0.0.0.0/',
    'http://10.0.0.1/',
    'https://192.168.0.1/',
    'http://127.0.0.1:22/',
    'http://example.com@127.0.0.1/',
    'http://127.0.0.1%23@127.0.0.1/',
    'http://127。0。0。1/',
    'http://①②⑦.⓪.⓪.①/',
  ])('is refused, whatever it looks like: %s', async (url) => {
    expect(await byHttp(url)).toMatchObject({
      status_code: null,
      title: null,
      engine: 'http',
      error: { code: 'egress_refused', message: 'the address is not reachable from here' },
    });
  });

  it.each(['301', '302', '303', '307', '308'])('is not reached by a %s', async (status) => {
    await withPages(
      { '/': answers('', { location: `${inner.origin}/secret` }, Number(status)) },
      async (url, own) => {
        const { page } = await own.scrape(`${url}/`, { render: 'http' });
        expect(page).toMatchObject({ final_url: null, error: { code: 'egress_refused' } });
        expect(inner.requests).toEqual([]);
        expect(own.logged).toContainEqual({
          event: 'egress_refused',
          fields: { host: '127.0.0.1', port: inner.port, address: '127.0.0.1', reason: 'loopback' },
        });
      },
    );
  });

  it('is not reached by render auto, whichever engine it ends with', async () => {
    const { page } = await scraper.scrape(`${inner.origin}/secret`, { render: 'auto' });
    expect(page.error?.code).toBe('egress_refused');
    expect(inner.requests).toEqual([]);
  });
});

describe('render auto', () => {
  const auto = async (own: Scraper, url: string, spec: ScrapeSpec = {}) =>
    (await own.scrape(url, { render: 'auto', formats: ['markdown'], ...spec })).page;

  it('takes a page that is all there by plain HTTP', async () => {
    expect(await auto(scraper, at('/docs.html'))).toMatchObject({ engine: 'http', error: null });
    expect(await auto(scraper, at('/status?code=404'))).toMatchObject({
      engine: 'http',
      error: { code: 'http_client_error' },
    });
  });

  it('shows a page that scripts draw to the browser', async () => {
    const page = await auto(scraper, at('/app.html'));
    expect(page).toMatchObject({ engine: 'browser', title: 'Catalogue', error: null });
    expect(page.markdown).toContain(`[Thing 2](${at('/items/2')})`);
  });

  it('uses the browser at once where a picture or an action is asked for', async () => {
    const before = site.requests.length;
    const shown = await auto(scraper, at('/docs.html?pictured'), { formats: ['markdown', 'screenshot'] });
    expect(shown.engine).toBe('browser');
    const scrolled = await auto(scraper, at('/docs.html?scrolled'), { actions: [{ type: 'scroll' }] });
    expect(scrolled.engine).toBe('browser');
    const asked = site.requests.slice(before).map(({ url }) => url);
    expect(asked.filter((url) => url === '/docs.html?pictured')).toHaveLength(1);
  });

  it('follows a page that goes elsewhere by itself', async () => {
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

  it('shows a page behind a challenge to the browser, and says it where that does not help', async () => {
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

  it('has several pages of a job on their way at once, and its browser one after the other', async () => {
    let open = 0;
    let most = 0;
    const counted: SiteHandler = (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      const answer = () => {
        open -= 1;
        response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Counted</h1>');
      };
      // Only several together are answered, so one alone would wait for ever.
      waiting.push(answer);
      if (waiting.length === 4) for (const each of waiting.splice(0)) each();
    };
    const waiting: (() => void)[] = [];
    await withPages({ '/counted': counted }, async (url, own) => {
      const job = openScraping(
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

describe('what the fleet remembers of a host', () => {
  const shell =
    '<div id="root"></div><script>document.getElementById("root").textContent = "Drawn ".repeat(80)</script>';

  it('is learned by one worker and used by another', async () => {
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
        async (url, own) => {
          const worker = () => {
            const renderMemory = createRenderMemory(renderVerdictStore(database), silentLogger);
            return openScraping(
              { render: 'auto', formats: ['text'] },
              {
                ...own.context,
                ...{
                  renderMemory,
                  signal: new AbortController().signal,
                  pageTimeoutMs: 20_000,
                  maxPageBytes: 1e7,
                },
              },
            );
          };
          const [first, second] = [worker(), worker()];
          const requestsOf = (path: string) => small?.requests.filter((asked) => asked === path).length;
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

          // Hosts change: when the verdict is old, plain HTTP is tried again, and believed.
          await database.knex.raw(`UPDATE render_verdicts SET seen_at = now() - interval '8 days'`);
          const third = worker();
          expect((await third.scrape(`${url}/plain`)).page.engine).toBe('http');
          const { rows } = await database.knex.raw(
            'SELECT host, engine, reason, streak FROM render_verdicts',
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

  it('does not matter where it cannot be asked', async () => {
    const broken = {
      find: async () => {
        throw new Error('the database is away');
      },
      record: async () => {
        throw new Error('the database is away');
      },
    };
    await withPages({ '/1': shell }, async (url, own) => {
      const job = openScraping(
        { render: 'auto', formats: ['text'] },
        {
          ...own.context,
          renderMemory: createRenderMemory(broken, silentLogger),
          ...{ signal: new AbortController().signal, pageTimeoutMs: 20_000, maxPageBytes: 1e7 },
        },
      );
      expect((await job.scrape(`${url}/1`)).page).toMatchObject({ engine: 'browser', error: null });
      await job.close();
    });
  });
});
