import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { openSite, type Site } from '../../fixtures/site/site.ts';
import { pngSize } from '../../support/png.ts';

let site: Site;
let other: Site;
let scraper: Scraper;

beforeAll(async () => {
  [site, other] = await Promise.all([openSite(), openSite()]);
  scraper = openScraper({ allow: ['127.0.0.0/8'] });
  await scraper.pool.start();
});

afterAll(async () => {
  await scraper.stop();
  await Promise.all([site.close(), other.close()]);
});

const at = (path: string) => `${site.origin}${path}`;

describe('an article', () => {
  it('becomes markdown without navigation and boilerplate', async () => {
    const { page } = await scraper.scrape(at('/article.html'));
    expect(page).toMatchObject({
      url: at('/article.html'),
      final_url: at('/article.html'),
      status_code: 200,
      content_type: 'text/html; charset=utf-8',
      title: 'How canal locks work — The Waterways Review',
      engine: 'browser',
      error: null,
    });
    // The model decides whether a byline is content.
    expect(page.markdown?.replace('By Ada Brookes, 3 May 2024\n\n', '')).toBe(
      [
        '# How canal locks work',
        'A **lock** is a chamber with gates at both ends. When a boat wants to go up, the lower gates open, the boat enters, and the gates close *behind* it. Water then runs in from above until the levels are the same.',
        `The design with two leaves that meet at an angle is older than most people think: it was drawn in Milan before 1500, and the [mitre gate](${at('/history.html#mitre')}) has hardly changed since. The old price of ~~two~~ three pence a boat has.`,
        `![A lock at dusk](${at('/images/lock.jpg')})`,
        'A lock on the summit level.',
        '## Filling and emptying',
        'Sluices in the gates, called paddles, are wound up by hand. It takes about ten minutes, and some 150,000 litres, to lift one narrow boat by two metres.',
        '> Never leave a windlass on the spindle.\n>\n> — a lock keeper',
        '1. Check that the gates are shut.\n2. Wind the paddles slowly.\n   - First the ground paddles.\n   - Then the gate paddles.\n3. Open when level.',
      ].join('\n\n'),
    );
  });

  it('returns exactly the requested formats', async () => {
    const { page } = await scraper.scrape(at('/article.html'), { formats: ['text'] });
    expect(Object.keys(page).sort()).toEqual([
      'content_type',
      'duration_ms',
      'engine',
      'error',
      'fetched_at',
      'final_url',
      'status_code',
      'text',
      'title',
      'url',
    ]);
    expect(page.text).toMatch(
      /^How canal locks work\n\n(By Ada Brookes, 3 May 2024\n\n)?A lock is a chamber/,
    );
    expect(page.text).not.toMatch(/cookies|Subscribe|Imprint|Share this/);
  });

  it('returns markdown, links and metadata by default', async () => {
    const { page } = await scraper.scrape(at('/article.html'));
    expect(Object.keys(page)).toEqual(expect.arrayContaining(['markdown', 'links', 'metadata']));
    expect(page).not.toHaveProperty('html');
    expect(page).not.toHaveProperty('text');
  });

  it('returns the whole page with main_content false', async () => {
    const { page } = await scraper.scrape(at('/article.html'), {
      formats: ['markdown'],
      main_content: false,
    });
    expect(page.markdown).toContain('Subscribe to our letter');
    expect(page.markdown).toContain(`[About us](${at('/about')})`);
  });

  it.each(['http', 'browser'] as const)('keeps as much as main_content asks for, by %s', async (render) => {
    const read = async (main_content: boolean | 'precise' | 'balanced' | 'complete') => {
      const { page } = await scraper.scrape(at('/article.html'), { formats: ['text'], main_content, render });
      return page.text ?? '';
    };
    const precise = await read('precise');
    const balanced = await read('balanced');
    const complete = await read('complete');
    expect(precise.length).toBeLessThan(balanced.length);
    expect(balanced.length).toBeLessThanOrEqual(complete.length);
    expect(complete.length).toBeLessThan((await read(false)).length);
    expect(await read(true)).toBe(balanced);
    expect(precise).toContain('A lock is a chamber with gates at both ends.');
    expect(complete).not.toMatch(/cookies|Subscribe|Imprint/);
  });

  it('returns clean html, and raw html as rendered', async () => {
    const { page } = await scraper.scrape(at('/article.html'), { formats: ['html', 'raw_html'] });
    expect(page.html).toContain(`<a href="${at('/history.html#mitre')}">`);
    expect(page.html).not.toMatch(/<script|<style|<nav|cookie-banner/);
    expect(page.raw_html).toMatch(/^<!DOCTYPE html>\n<html lang="en">/);
    expect(page.raw_html).toContain('<script>');
    // Set by the page's script, and so only in the page as rendered.
    expect(page.raw_html).toContain('data-seen="1"');
  });
});

describe('a documentation page', () => {
  it('keeps its code, tables, definitions and links', async () => {
    const { page } = await scraper.scrape(at('/docs.html'), { formats: ['markdown'] });
    const base = at('/manual/v4/');
    expect(page.markdown).toBe(
      [
        '## 4.2. Retention policies',
        `A policy says how long rows of a table are kept. It is set with \`silt policy\` and read by the [\`sweeper\`](${base}sweeper.html) once an hour.`,
        "```sql\nCREATE POLICY weekly ON readings\n    KEEP INTERVAL '7 days'\n    WHERE site <> 'archive';\n```",
        'The same from the shell, where `a | b` is a pipe and ``` `` ``` quotes:',
        '```\n$ silt policy add weekly \\\n      --table readings\nok\n```',
        'Table 4.1. Options',
        [
          '| Option | Type | Meaning |',
          '| --- | --- | --- |',
          '| `keep` | interval | How long rows stay.<br>Must be positive. |',
          `| \`mode\` | \`drop\\|archive\` | What becomes of them, see [modes](${base}modes.html). |`,
          '| both |  | are required |',
        ].join('\n'),
        '- `SILT_HOME`',
        '  Where the files are.',
        '  Defaults to the home directory.',
        '- `SILT_PORT`',
        '  The port to listen on.',
        '### Note',
        'Policies do not apply to partitions that are detached.',
      ].join('\n\n'),
    );
  });

  it('reads as text', async () => {
    const { page } = await scraper.scrape(at('/docs.html'), { formats: ['text'] });
    expect(page.text).toContain("CREATE POLICY weekly ON readings\n    KEEP INTERVAL '7 days'\n");
    expect(page.text).toContain('Option\tType\tMeaning\n');
    expect(page.text).toContain('both\t\tare required');
  });
});

describe('a page rendered by JavaScript', () => {
  it('is returned as rendered', async () => {
    const { page } = await scraper.scrape(at('/app.html'));
    expect(page.title).toBe('Catalogue');
    expect(page.markdown).toContain(`[Thing 2](${at('/items/2')})`);
    expect(page.links).toHaveLength(3);
  });

  it('includes its shadow DOM', async () => {
    const { page } = await scraper.scrape(at('/shadow.html'));
    expect(page.markdown).toContain(`Ticket: Ferry to the island costs 12 crowns. [Buy](${at('/tickets')})`);
    expect(page.links).toEqual([{ url: at('/tickets'), text: 'Buy', kind: 'internal' }]);
  });

  it('is read although it replaced built-ins', async () => {
    const { page } = await scraper.scrape(at('/prototypes.html'), {
      extract: { all: { selector: 'p', many: true } },
    });
    expect(page).toMatchObject({ markdown: 'Content under an old library.', error: null });
    expect(page.extracted).toEqual({ all: ['Content under an old library.'] });
  });
});

describe('the metadata of a page', () => {
  it('omits broken JSON-LD', async () => {
    const { page } = await scraper.scrape(at('/metadata.html'), { formats: ['metadata'] });
    expect(page.metadata).toEqual({
      title: 'Bäckerei Huber',
      description: 'Brot und Gebäck seit 1921.',
      language: 'de-AT',
      canonical: at('/baeckerei'),
      charset: 'UTF-8',
      author: 'Maria Huber',
      authors: ['Maria Huber'],
      published: '2024-02-03T10:00:00Z',
      modified: '2024-03-04T11:00:00Z',
      robots: 'index,follow',
      favicon: at('/icon.svg'),
      images: ['https://huber.example/laden.jpg'],
      opengraph: { title: 'Bäckerei Huber', image: 'https://huber.example/laden.jpg' },
      twitter: { card: 'summary' },
      json_ld: [
        {
          '@context': 'https://schema.org',
          '@type': 'Bakery',
          name: 'Bäckerei Huber',
          telephone: '+43 1 234567',
        },
        [{ '@type': 'BreadcrumbList' }],
      ],
    });
  });

  it('is followed by each link once, absolute, with its text', async () => {
    const { page } = await scraper.scrape(at('/metadata.html'), { formats: ['links'] });
    expect(page.links).toEqual([
      { url: at('/laden?x=1&y=2'), text: 'Zum Laden', kind: 'internal' },
      { url: 'https://other.example/pfad#teil', text: 'Partner', kind: 'external' },
    ]);
  });
});

describe('a document that is not HTML', () => {
  it('is returned as text or code', async () => {
    const json = await scraper.scrape(at('/data.json'));
    expect(json.page).toMatchObject({ content_type: 'application/json', error: null });
    expect(json.page.markdown).toContain('{"name": "lock", "height": 2}');
    const feed = await scraper.scrape(at('/feed.xml'), { formats: ['text'] });
    expect(feed.page).toMatchObject({ content_type: 'application/xml', error: null });
    expect(feed.page.text).toContain('First entry');
  });

  it('is recognised by its content type, not by its URL', async () => {
    const { page } = await scraper.scrape(at('/wiki/File:Lock.png'));
    expect(page).toMatchObject({ markdown: '# File: Lock', error: null });
  });
});

describe('extract', () => {
  it('returns text, attributes and lists, and null for a missing element', async () => {
    const { page } = await scraper.scrape(at('/metadata.html'), {
      formats: ['links'],
      extract: {
        price: '.price',
        prices: { selector: '.price', many: true },
        shop: { selector: 'a.shop', attribute: 'href' },
        missing: '.nothing',
        none: { selector: '.nothing', many: true },
      },
    });
    expect(page.extracted).toEqual({
      price: '€ 3,20 je Laib',
      prices: ['€ 3,20 je Laib', '€ 4,10'],
      shop: at('/laden?x=1&y=2'),
      missing: null,
      none: [],
    });
    expect(page.error).toBeNull();
  });

  it('names the field with an invalid selector, and returns the rest', async () => {
    const { page } = await scraper.scrape(at('/metadata.html'), {
      extract: { price: '.price', wrong: 'p[[' },
    });
    expect(page.error).toEqual({ code: 'bad_selector', message: expect.stringContaining('wrong') });
    expect(page.extracted).toEqual({ price: '€ 3,20 je Laib', wrong: null });
    expect(page.markdown).toContain('Bäckerei Huber');
  });
});

describe('captures', () => {
  it('are a PNG of the whole page and a PDF', async () => {
    const { page, artifacts } = await scraper.scrape(at('/form.html'), { formats: ['screenshot', 'pdf'] });
    expect(page.error).toBeNull();
    expect(artifacts.map(({ kind, contentType }) => [kind, contentType])).toEqual([
      ['screenshot', 'image/png'],
      ['pdf', 'application/pdf'],
    ]);
    expect(pngSize(artifacts[0]?.body).height).toBeGreaterThan(5000);
    expect(artifacts[1]?.body.subarray(0, 5).toString()).toBe('%PDF-');
  });

  it('of a very large page are cut', async () => {
    const { page, artifacts } = await scraper.scrape(at('/tall'), {
      formats: ['screenshot'],
      timeout_ms: 120_000,
    });
    expect(page.error).toBeNull();
    expect(pngSize(artifacts[0]?.body)).toEqual({ width: 4096, height: 16_384 });
  });

  it('need images, which other pages do not load', async () => {
    const before = site.requests.length;
    await scraper.scrape(at('/article.html'));
    expect(site.requests.slice(before).map(({ url }) => url)).not.toContain('/logo.png');
    await scraper.scrape(at('/article.html'), { formats: ['screenshot'] });
    expect(site.requests.map(({ url }) => url)).toContain('/logo.png');
  });
});

describe('a page without scripts', () => {
  it('is the same with an early snapshot or a later one', async () => {
    const formats = ['raw_html' as const];
    const { page: arrived } = await scraper.scrape(at('/docs.html'), { formats });
    const { page: asked } = await scraper.scrape(at('/docs.html'), { formats, extract: { title: 'title' } });
    expect(asked.extracted).toEqual({ title: '4.2. Retention policies — Siltstore manual' });
    expect(arrived.raw_html).toContain('</html>');
    expect(arrived.raw_html).toBe(asked.raw_html);
    expect({ ...arrived, ...SAME }).toEqual({ ...asked, ...SAME });
  });
});

/** Fields that differ per fetch, or were requested once. */
const SAME = { fetched_at: '', duration_ms: 0, extracted: undefined };

describe('headers', () => {
  it('are sent to the origin of the page only, also after redirects', async () => {
    const [before, beforeOther] = [site.requests.length, other.requests.length];
    const { page } = await scraper.scrape(at(`/third-party?other=${other.origin}`), {
      headers: { Authorization: 'Bearer secret', 'X-Api-Key': 'secret' },
    });
    expect(page.error).toBeNull();
    const own = site.requests.slice(before);
    expect(own.map(({ url }) => url.split('?')[0])).toEqual(
      expect.arrayContaining(['/third-party', '/own.js', '/redirect']),
    );
    for (const { headers } of own)
      expect(headers).toMatchObject({ authorization: 'Bearer secret', 'x-api-key': 'secret' });
    const foreign = other.requests.slice(beforeOther);
    expect(foreign.map(({ url }) => url).sort()).toEqual(['/lib.js', '/redirected.js']);
    for (const { headers } of foreign) {
      expect(headers).not.toHaveProperty('authorization');
      expect(headers).not.toHaveProperty('x-api-key');
    }
  });

  it('replace those of the browser', async () => {
    const headers = { 'User-Agent': 'Surveyor/1.0', Cookie: 'session=1' };
    const { page } = await scraper.scrape(at('/echo'), { formats: ['text'], headers });
    expect(page.text).toContain('"user-agent":"Surveyor/1.0"');
    expect(page.text).toContain('"cookie":"session=1"');
  });
});

describe('jobs', () => {
  it('share no cookies with each other', async () => {
    await scraper.scrape(at('/set-cookie'));
    const { page } = await scraper.scrape(at('/echo'), { formats: ['text'] });
    expect(page.text).toContain('user-agent');
    expect(page.text).not.toContain('who=me');
  });

  it('do not reveal the proxy to a site', async () => {
    const { page } = await scraper.scrape(at('/echo'), { formats: ['text'] });
    expect(page.text).not.toMatch(/proxy|via|forwarded/i);
  });
});
