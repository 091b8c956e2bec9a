import { openSite, type Site } from '../../fixtures/site/site.ts';
import { useSite } from '../../fixtures/site/use-site.ts';

const fixture = useSite();
const { at } = fixture;
let other: Site;

beforeAll(async () => {
  other = await openSite();
});
afterAll(async () => {
  await other.close();
});

const words = (text: string | undefined) => text?.replace(/\s+/g, ' ');

describe('frames', () => {
  it('are part of the page in the browser: nested, written by scripts, below the fold; and so are closed shadow roots', async () => {
    const { page } = await fixture.scraper.scrape(at('/framed.html'), { formats: ['text', 'links'] });
    expect(page.error).toBeNull();
    expect(page.warnings).toBeUndefined();
    expect(words(page.text)).toBe(
      'Outer Inner link innermost written in place written later Inner link innermost ?lazy closed card',
    );
    expect(page.links?.map(({ url }) => url)).toContain(at('/deep/page'));
  });

  it("of the page's origin are part of it by plain HTTP", async () => {
    const { page } = await fixture.scraper.scrape(at('/framed.html'), { formats: ['text'], render: 'http' });
    expect(page.error).toBeNull();
    expect(words(page.text)).toBe('Outer Inner link innermost written in place Inner link innermost');
  });

  it.each(['browser', 'auto'] as const)('of other origins are part of a frameset: %s', async (render) => {
    const { page } = await fixture.scraper.scrape(at(`/frameset?other=${other.origin}`), {
      ...{ formats: ['text'], render, main_content: false },
    });
    expect(page).toMatchObject({ error: null, title: 'Frames', engine: 'browser' });
    expect(page.warnings).toBeUndefined();
    expect(words(page.text)).toMatch(/^Inner link innermost .*lock/i);
  });

  it('that do not arrive are missing, and the page says so', async () => {
    const { page } = await fixture.scraper.scrape(at('/silent-frame'), { formats: ['text'] });
    expect(page).toMatchObject({ error: null, text: 'Outer' });
    expect(page.warnings).toEqual([
      { code: 'frames_missing', message: 'a frame of the page could not be read' },
    ]);
  });

  it('of other origins are missing by plain HTTP, and the page says so', async () => {
    const { page } = await fixture.scraper.scrape(at(`/frameset?other=${other.origin}`), {
      formats: ['text'],
      render: 'http',
    });
    expect(page.error).toBeNull();
    expect(page.warnings).toEqual([
      { code: 'frames_missing', message: 'a frame of the page could not be read' },
    ]);
  });
});

describe('a page that lacks something says so', () => {
  it('a picture that was cut', async () => {
    const { page } = await fixture.scraper.scrape(at('/tall'), { formats: ['screenshot'] });
    expect(page.error).toBeNull();
    expect(page.warnings).toEqual([
      { code: 'screenshot_cut', message: expect.stringMatching(/shows 4096 x 16384$/) },
    ]);
  });

  it('a page without text', async () => {
    const { page } = await fixture.scraper.scrape(at('/empty'), { formats: ['text'], render: 'http' });
    expect(page.warnings).toEqual([{ code: 'no_text', message: 'the page has no text' }]);
  });

  it('a page whose data come late is waited for', async () => {
    const { page } = await fixture.scraper.scrape(at('/slow-data'), { formats: ['text'] });
    expect(page.warnings).toBeUndefined();
    expect(page.text).toBe('Thing 1');
  });
});
