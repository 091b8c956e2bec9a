import { openScraper, type Scraper } from '../fixtures/site/scraper.ts';
import { openSite, type Site } from '../fixtures/site/site.ts';

let site: Site;
let scraper: Scraper;

beforeAll(async () => {
  site = await openSite();
  scraper = openScraper({ allow: ['127.0.0.0/8'] });
  await scraper.pool.start();
});

afterAll(async () => {
  await scraper.stop();
  await site.close();
});

beforeEach(() => void site.requests.splice(0));

const at = (path: string) => `${site.origin}${path}`;
const asked = () => site.requests.map(({ url }) => url);

it('a page that does nothing by itself is read without its style sheets', async () => {
  const { page } = await scraper.scrape(at('/docs.html'));
  expect(page).toMatchObject({ error: null, markdown: expect.stringMatching(/./) });
  expect(asked()).toEqual(['/docs.html']);
});

it('a script sees the styles above it', async () => {
  const { page } = await scraper.scrape(at('/styled.html'));
  expect(page).toMatchObject({
    error: null,
    markdown: expect.stringContaining('Its letters are sans-serif.'),
  });
  expect(asked()).toContain('/style.css?of=styled');
});

it('a script sees the styles above it where headers are added to each request', async () => {
  const { page } = await scraper.scrape(at('/styled.html'), { headers: { 'x-key': 'mine' } });
  expect(page.markdown).toContain('Its letters are sans-serif.');
  const styles = site.requests.find(({ url }) => url.startsWith('/style.css'));
  expect(styles?.headers).toMatchObject({ 'x-key': 'mine' });
});

it('a picture of a page has its styles', async () => {
  const { page, artifacts } = await scraper.scrape(at('/docs.html'), { formats: ['screenshot'] });
  expect(page.error).toBeNull();
  expect(artifacts).toHaveLength(1);
  expect(asked()).toContain('/style.css?of=docs');
});
