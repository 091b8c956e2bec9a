import { answers, withPages } from '../fixtures/site/pages.ts';
import { openScraper, type Scraper } from '../fixtures/site/scraper.ts';
import { openSite, type Site } from '../fixtures/site/site.ts';

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
