import { answers, withPages } from '../../fixtures/site/pages.ts';
import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { openSite, type Site } from '../../fixtures/site/site.ts';

let site: Site;
/** On loopback too, but on a port the guard does not open. */
let inner: Site;
let scraper: Scraper;

beforeAll(async () => {
  [site, inner] = await Promise.all([openSite(), openSite()]);
  scraper = openScraper({ allow: [`127.0.0.1:${site.port}`] });
});
afterAll(async () => {
  await scraper.stop();
  await Promise.all([site.close(), inner.close()]);
});

const byHttp = async (url: string) => (await scraper.scrape(url, { render: 'http' })).page;

describe('a blocked address', () => {
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
    'http://0/',
    'http://0177.0.0.1/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://169.254.170.2/v2/credentials',
    'http://user:password@[::1]:8080/',
    'http://example.com@127.0.0.1/',
    'http://127.0.0.1%23@127.0.0.1/',
    'http://127。0。0。1/',
    'http://①②⑦.⓪.⓪.①/',
  ])('is blocked in any notation: %s', async (url) => {
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

  it.each(['file:///etc/passwd', 'data:text/html,x', 'ftp://127.0.0.1/x', 'view-source:http://127.0.0.1/'])(
    'is not reached by a redirect to another scheme: %s',
    async (location) => {
      await withPages({ '/': answers('', { location }, 302) }, async (url, own) => {
        const before = own.blockedRequests();
        const { page } = await own.scrape(`${url}/`, { render: 'http' });
        expect(page).toMatchObject({ final_url: null, error: { code: 'egress_refused' } });
        expect(own.blockedRequests()).toBe(before + 1);
      });
    },
  );

  it.each([
    '10.0.0.1',
    '::1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1%eth0',
    '169.254.169.254',
  ])('is not reached by a name: %s', async (address) => {
    const own = openScraper({ allow: [], resolver: async () => [{ address }] });
    const { page } = await own.scrape('http://points-inside.test/', { render: 'http' });
    expect(page.error?.code).toBe('egress_refused');
    expect(own.blockedRequests()).toBe(1);
    await own.stop();
  });

  it('is not reached by DNS rebinding', async () => {
    const asked: string[] = [];
    const own = openScraper({
      allow: [`127.0.0.1:${site.port}`],
      resolver: async (name) => {
        asked.push(name);
        return [{ address: asked.length === 1 ? '127.0.0.1' : '169.254.169.254' }];
      },
    });
    // The connection is kept per host; another name of the site is resolved again.
    const first = await own.scrape(`http://rebinding.test:${site.port}/docs.html`, { render: 'http' });
    expect(first.page.error).toBeNull();
    const second = await own.scrape(`http://again.rebinding.test:${site.port}/docs.html`, { render: 'http' });
    expect(second.page.error?.code).toBe('egress_refused');
    expect(asked).toEqual(['rebinding.test', 'again.rebinding.test']);
    await own.stop();
  });

  it('is not reached by render auto, with either engine', async () => {
    const { page } = await scraper.scrape(`${inner.origin}/secret`, { render: 'auto' });
    expect(page.error?.code).toBe('egress_refused');
    expect(inner.requests).toEqual([]);
  });
});
