import { useSite } from '../../fixtures/site/use-site.ts';

const fixture = useSite();
const { at } = fixture;

beforeEach(() => void fixture.site.requests.splice(0));
const asked = () => fixture.site.requests.map(({ url }) => url);

it('a static page is read without its style sheets', async () => {
  const { page } = await fixture.scraper.scrape(at('/docs.html'));
  expect(page).toMatchObject({ error: null, markdown: expect.stringMatching(/./) });
  expect(asked()).toEqual(['/docs.html']);
});

it('a script sees the styles above it', async () => {
  const { page } = await fixture.scraper.scrape(at('/styled.html'));
  expect(page).toMatchObject({
    error: null,
    markdown: expect.stringContaining('Its letters are sans-serif.'),
  });
  expect(asked()).toContain('/style.css?of=styled');
});

it('a script sees the styles above it if headers are added to each request', async () => {
  const { page } = await fixture.scraper.scrape(at('/styled.html'), { headers: { 'x-key': 'mine' } });
  expect(page.markdown).toContain('Its letters are sans-serif.');
  const styles = fixture.site.requests.find(({ url }) => url.startsWith('/style.css'));
  expect(styles?.headers).toMatchObject({ 'x-key': 'mine' });
});

it('a screenshot has the styles of the page', async () => {
  const { page, artifacts } = await fixture.scraper.scrape(at('/docs.html'), { formats: ['screenshot'] });
  expect(page.error).toBeNull();
  expect(artifacts).toHaveLength(1);
  expect(asked()).toContain('/style.css?of=docs');
});

const SHOWN = [
  '# Shown boxes',
  'Words and ***seen*** faded ones.',
  'name price',
  'first  \nsecond',
  'above  \nbelow',
];

it.each([
  ['a static page', {}],
  ['a page with actions', { actions: [{ type: 'wait', ms: 1 } as const] }],
])('%s is read as its own styles show it', async (_name, options) => {
  const { page } = await fixture.scraper.scrape(at('/shown.html'), {
    ...options,
    formats: ['markdown', 'text', 'html', 'raw_html'],
  });
  expect(page.error).toBeNull();
  expect(page.markdown?.split('\n\n').slice(0, SHOWN.length)).toEqual(SHOWN);
  expect(page.text).toContain('left right unbelievable');
  expect(page.html).not.toMatch(/GONE|data-leadengine/);
  // As the document is, without what the snapshot wrote into it.
  expect(page.raw_html).toContain('<span class="gone">GONE</span>');
  expect(page.raw_html).not.toContain('data-leadengine');
});
