import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { answers, withPages } from '../../fixtures/site/pages.ts';
import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { selfSigned } from '../../fixtures/site/self-signed.ts';
import { openSite, type Site } from '../../fixtures/site/site.ts';
import type { SiteHandler } from '../../support/servers/site.ts';

let site: Site;
/** On loopback too, but on a port the guard does not open. */
let inner: Site;
let scraper: Scraper;

beforeAll(async () => {
  [site, inner] = await Promise.all([openSite(), openSite()]);
  scraper = openScraper({ allow: [`127.0.0.1:${site.port}`, `localhost:${site.port}`] });
  await scraper.pool.start();
});

afterAll(async () => {
  await scraper.stop();
  await Promise.all([site.close(), inner.close()]);
});

const at = (path: string) => `${site.origin}${path}`;
const code = async (url: string, limits = {}) =>
  (await scraper.scrape(url, {}, limits)).page.error?.code ?? null;

describe('a blocked address', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://127.1:8080/',
    'http://localhost/',
    'http://localhost./',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://0.0.0.0/',
    'http://100.64.0.1/',
    'http://10.0.0.1/',
    'http://[fd00::1]/',
    'http://[fe80::1]/',
    'https://192.168.0.1/',
    'http://127.0.0.1:22/',
  ])('is blocked in any notation: %s', async (url) => {
    const { page } = await scraper.scrape(url);
    expect(page).toMatchObject({
      url,
      status_code: null,
      title: null,
      error: { code: 'egress_refused', message: 'the address is not reachable from here' },
    });
  });

  it('is logged without path or query', async () => {
    await scraper.scrape('http://10.1.2.3:8080/secret?token=1');
    expect(scraper.logged).toContainEqual({
      event: 'egress_refused',
      fields: { host: '10.1.2.3', port: 8080, address: '10.1.2.3', reason: 'private' },
    });
  });

  it('is also the proxy of the browser itself', async () => {
    const open = openScraper({ allow: ['127.0.0.0/8'] });
    try {
      await open.pool.start();
      const port = open.logged.find(({ event }) => event === 'egress_proxy_listening')?.fields.port;
      expect(port).toEqual(expect.any(Number));
      const { page } = await open.scrape(`http://127.0.0.1:${port}/`);
      expect(page.error?.code).toBe('egress_refused');
    } finally {
      await open.stop();
    }
  });

  it.each(['meta', 'script', 'form'])('is not reached by a page that navigates there by %s', async (by) => {
    const { page } = await scraper.scrape(at(`/to-private?by=${by}&to=${inner.origin}/secret`));
    expect(page).toMatchObject({ final_url: null, status_code: null, error: { code: 'egress_refused' } });
    expect(page.markdown).toBeUndefined();
    expect(inner.requests).toEqual([]);
  });

  it('is not reached by a redirect', async () => {
    const { page } = await scraper.scrape(at(`/redirect?to=${inner.origin}/secret`));
    expect(page.error?.code).toBe('egress_refused');
    expect(inner.requests).toEqual([]);
  });

  it.each(['frame', 'fetch', 'socket', 'popup'])(
    'is not reached by a %s in a page, which is returned',
    async (by) => {
      const { page } = await scraper.scrape(at(`/to-private?by=${by}&to=${inner.origin}/secret`));
      expect(page.error).toBeNull();
      expect(page.markdown).toMatch(/^# (Framed|Fetches|Sockets|Pops)/);
      expect(inner.requests).toEqual([]);
    },
  );

  it('does not affect an allowed one', async () => {
    expect(await code(at('/article.html'))).toBeNull();
    expect(await code(`http://localhost:${site.port}/article.html`)).toBeNull();
  });
});

describe('a server without a response', () => {
  let closedPort: number;
  let open: Scraper;

  beforeAll(async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closedPort = (server.address() as AddressInfo).port;
    await new Promise((resolve) => server.close(resolve));
    open = openScraper({ allow: ['127.0.0.0/8', 'tls.invalid'] });
  });
  afterAll(() => open.stop());
  const openCode = async (url: string) => (await open.scrape(url)).page.error?.code;

  it.each(['http', 'https'])('refuses the connection: %s', async (protocol) => {
    expect(await openCode(`${protocol}://127.0.0.1:${closedPort}/`)).toBe('connection_refused');
  });

  it('refuses the connection on a port that browsers block too', async () => {
    expect(await openCode('http://127.0.0.1:1/')).toBe('connection_refused');
  });

  it.each(['http', 'https'])('has a name that does not resolve: %s', async (protocol) => {
    expect(await openCode(`${protocol}://no-such-host.invalid/`)).toBe('dns_failed');
  });

  it('hangs up', async () => {
    expect(await code(at('/reset'))).toBe('connection_failed');
  });

  it('speaks no TLS, or has a self-signed certificate', async () => {
    expect(await openCode(site.origin.replace('http:', 'https:'))).toBe('tls_failed');
    const server = createTlsServer(selfSigned, (_request, response) => response.end('hi'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      expect(await openCode(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`)).toBe(
        'tls_failed',
      );
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('a status', () => {
  it.each([
    [404, 'http_client_error'],
    [403, 'http_client_error'],
    [429, 'http_too_many_requests'],
    [500, 'http_server_error'],
    [503, 'http_server_error'],
  ])('of %d gives the content and the error %s', async (status, expected) => {
    const { page } = await scraper.scrape(at(`/status?code=${status}`));
    expect(page).toMatchObject({
      status_code: status,
      markdown: `# Status ${status}`,
      error: { code: expected, message: `the server answered ${status}` },
    });
  });

  it('of 204 is an empty page', async () => {
    const { page } = await scraper.scrape(at('/empty'));
    const empty = { final_url: at('/empty'), status_code: 204, error: null, markdown: '', links: [] };
    expect(page).toMatchObject(empty);
  });
});

describe('a page that ends in the middle', () => {
  const half: SiteHandler = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': '100000' });
    response.write('<title>Half</title><h1>The first half</h1>');
    setTimeout(() => response.destroy(), 50);
  };
  const garbled = answers('<h1>This is no gzip</h1>', { 'content-encoding': 'gzip' });
  const stopped = '<h1>Stopped</h1><script>window.stop()</script>';

  it('is returned up to the cut, with an error', async () => {
    await withPages({ '/half': half, '/garbled': garbled, '/stopped': stopped }, async (url, own) => {
      const { page } = await own.scrape(`${url}/half`);
      const failed = { code: 'connection_failed', message: 'the connection to the server failed' };
      expect(page).toMatchObject({ title: 'Half', markdown: '# The first half', error: failed });
      expect((await own.scrape(`${url}/garbled`)).page.error).toEqual(failed);
      // A page that stops its own loading is no error.
      expect((await own.scrape(`${url}/stopped`)).page).toMatchObject({ markdown: '# Stopped', error: null });
    });
  });
});

describe('a page that never completes', () => {
  it.each(['/silent', '/endless', '/busy', '/alerts'])('ends at its time limit: %s', async (path) => {
    const startedAt = Date.now();
    expect(await code(at(path), { pageTimeoutMs: 1500 })).toBe('page_timeout');
    expect(Date.now() - startedAt).toBeLessThan(4000);
    // The next page is not affected.
    expect(await code(at('/article.html'))).toBeNull();
  });

  it('ends at its time limit if it starts an endless loop after it loaded', async () => {
    const startedAt = Date.now();
    expect(await code(at('/busy-later'), { pageTimeoutMs: 1500 })).toBe('page_timeout');
    expect(Date.now() - startedAt).toBeLessThan(4000);
  });

  it('has the time limit of its job', async () => {
    const { page } = await scraper.scrape(at('/silent'), { timeout_ms: 300 });
    expect(page.error?.code).toBe('page_timeout');
    expect(page.duration_ms).toBeLessThan(1500);
  });

  it('because of an image that hangs is returned without it', async () => {
    const { page } = await scraper.scrape(at('/hanging-image'), { formats: ['markdown', 'screenshot'] });
    expect(page).toMatchObject({ markdown: expect.stringMatching(/^# Here at once/), error: null });
  });

  it('redirects without end', async () => {
    expect(await code(at('/redirect-loop'))).toBe('too_many_redirects');
  });

  it('that reloads itself endlessly ends', async () => {
    // Which of the two depends on whether a snapshot was possible between two reloads.
    expect([null, 'page_timeout']).toContain(await code(at('/reload'), { pageTimeoutMs: 3000 }));
  });
});

describe('a page that is too large', () => {
  it.each(['/huge?mb=50', '/huge?mb=50&length'])(
    'ends with an error, without memory growth: %s',
    async (path) => {
      const before = process.memoryUsage().rss;
      const { page } = await scraper.scrape(at(path), {}, { maxPageBytes: 5_000_000 });
      expect(page.error?.code).toBe('page_too_large');
      expect(page.markdown).toBeUndefined();
      expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    },
  );

  it('ends if it is small on the wire and large once decoded', async () => {
    const { page } = await scraper.scrape(at('/bomb'), {}, { maxPageBytes: 5_000_000 });
    expect(page.error?.code).toBe('page_too_large');
  });

  it('differs from one that is just small enough', async () => {
    expect(await code(at('/huge?mb=1'), { maxPageBytes: 3_000_000 })).toBeNull();
  });
});

describe('a response that is no page', () => {
  it('is not supported if it is a file of an unknown kind', async () => {
    expect(await code(at('/download'))).toBe('unsupported_content');
  });

  it('is read if it is a picture', async () => {
    expect(await code(at('/picture'))).toBeNull();
  });
});

it('a page that begins a download is still a page', async () => {
  const { page } = await scraper.scrape(at('/thanks'));
  expect(page).toMatchObject({ status_code: 200, markdown: '# Your download begins', error: null });
});

describe('a hostile page', () => {
  it('that opens windows and dialogs is returned', async () => {
    const { page } = await scraper.scrape(at('/popups.html'));
    expect(page.error).toBeNull();
    expect(page.markdown).toContain('still here');
  });

  it('with text that Postgres cannot store is returned without it', async () => {
    const { page } = await scraper.scrape(at('/unstorable'), { formats: ['text'], extract: { all: 'body' } });
    expect(page).toMatchObject({ title: 'a b', text: 'half \uFFFD and nothing', error: null });
    expect(page.extracted?.all).toContain('half \uFFFD and ');
  });

  it('that opens windows in an endless loop ends at its time limit', async () => {
    expect(await code(at('/popup-bomb'), { pageTimeoutMs: 2000 })).not.toBe('connection_failed');
    expect(await code(at('/article.html'))).toBeNull();
    expect(site.requests.filter(({ url }) => url.includes('bomb-popup')).length).toBeLessThan(20);
  });

  it('with endless nesting crashes no worker', async () => {
    // Chromium's own stack may be the first to overflow.
    expect([null, 'extraction_failed', 'browser_crashed']).toContain(await code(at('/deep')));
    expect(await code(at('/article.html'))).toBeNull();
  });
});

describe('a cancel', () => {
  it.each(['/silent', '/busy', '/endless', '/app.html'])('stops a page at once: %s', async (path) => {
    const controller = new AbortController();
    const reason = new Error('the job was cancelled');
    const scraped = scraper.scrape(at(path), {}, { signal: controller.signal });
    await requestOf(path);
    const abortedAt = Date.now();
    controller.abort(reason);
    await expect(scraped).rejects.toBe(reason);
    expect(Date.now() - abortedAt).toBeLessThan(200);
  });

  const requestOf = async (path: string) => {
    const from = site.requests.length;
    const until = Date.now() + 5000;
    while (!site.requests.slice(from).some(({ url }) => url === path)) {
      if (Date.now() > until) throw new Error(`no request for ${path}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
});
