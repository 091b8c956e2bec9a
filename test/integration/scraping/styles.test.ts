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
