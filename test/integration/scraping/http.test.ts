import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { openPageEngine } from '../../../scraping/engine/page-engine.ts';
import type { ScrapeSpec } from '../../../scraping/fetching/page.ts';
import { answers, withPages } from '../../fixtures/site/pages.ts';
import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { selfSigned } from '../../fixtures/site/self-signed.ts';
import { openSite, type Site } from '../../fixtures/site/site.ts';
import { type SiteHandler, startSite } from '../../support/servers/site.ts';

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
const byHttp = async (url: string, spec: ScrapeSpec = {}, limits = {}) =>
  (await scraper.scrape(url, { render: 'http', ...spec }, limits)).page;

describe('a page by plain HTTP', () => {
  it('is the same as in the browser if no script renders it', async () => {
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

  it('sends its user agent, and the headers of the job to its own origin only', async () => {
    const spec: ScrapeSpec = { formats: ['text'], headers: { 'X-Key': 'secret' } };
    expect((await byHttp(at('/echo'), spec)).text).toMatch(
      /"user-agent":"TestReader\/1\.0".*"x-key":"secret"/,
    );
    const pages: Record<string, SiteHandler> = { '/in': answers('', { location: at('/echo') }, 302) };
    const small = await startSite({ pages });
    const both = openScraper({ allow: ['127.0.0.1'] });
    try {
      const { page } = await both.scrape(`${small.url}/in`, { render: 'http', ...spec });
      expect(page.final_url).toBe(at('/echo'));
      expect(page.text).not.toContain('secret');
    } finally {
      await both.stop();
      await small.close();
    }
  });

  it('shares cookies within its job only', async () => {
    const job = openPageEngine(
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

  it.each(['/download'])('is not %s', async (path) => {
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

  it.each(['/silent', '/endless'])('%s ends at its time limit', async (path) => {
    expect((await byHttp(at(path), {}, { pageTimeoutMs: 300 })).error?.code).toBe('page_timeout');
  });

  it('is aborted if its job is cancelled', async () => {
    const cancel = new AbortController();
    const page = byHttp(at('/silent?cancelled'), {}, { signal: cancel.signal });
    cancel.abort(new Error('cancelled by the user'));
    await expect(page).rejects.toThrow('cancelled by the user');
  });

  it('needs a trusted certificate', async () => {
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
