import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { openSite, type Site } from '../../fixtures/site/site.ts';

const LIMIT_MB = 600;
let site: Site;
let scraper: Scraper;

beforeAll(async () => {
  site = await openSite();
  scraper = openScraper({ allow: ['127.0.0.0/8'], memoryLimitBytes: LIMIT_MB * 1024 * 1024 });
  await scraper.pool.start();
});
afterAll(async () => {
  await scraper.stop();
  await site.close();
});

const EATERS: Record<string, string> = {
  'a JavaScript heap': 'setInterval(() => kept.push(new Array(2e6).fill(Math.random())), 1)',
  'array buffers, without a pause': 'for (;;) kept.push(new Uint8Array(5e7).fill(1))',
  canvases:
    'setInterval(() => { const c = document.createElement("canvas"); c.width = c.height = 4000; const d = c.getContext("2d"); d.fillRect(0, 0, 4000, 4000); d.getImageData(0, 0, 1, 1); kept.push(c) }, 1)',
  workers:
    'const code = window.URL.createObjectURL(new Blob(["const kept = []; setInterval(() => kept.push(new Uint8Array(2e7).fill(1)), 1)"])); for (let i = 0; i < 4; i++) kept.push(new Worker(code))',
};

describe('a page that takes all memory', () => {
  it.each(Object.entries(EATERS))('ends, and the page beside it goes on: %s', async (_name, code) => {
    const eats = { actions: [{ type: 'wait' as const, ms: 10_000 }] };
    const [eater, beside] = await Promise.all([
      scraper.scrape(`${site.origin}/script?code=${encodeURIComponent(code)}`, eats),
      scraper.scrape(`${site.origin}/app.html?delay=1500`, { formats: ['text'] }),
    ]);
    expect(eater.page.error?.code).toBe('page_out_of_memory');
    expect(beside.page.error).toBeNull();
    expect((await scraper.scrape(`${site.origin}/article.html`)).page.error).toBeNull();
    expect(scraper.logged.filter(({ event }) => event === 'browser_launched')).toHaveLength(1);
  });

  it('elsewhere than in its own process ends with the browser, which is replaced', async () => {
    // Blobs are in the browser's process; the page's own holds one buffer.
    const code = 'const one = new Uint8Array(3e7).fill(1); setInterval(() => kept.push(new Blob([one])), 1)';
    const { page } = await scraper.scrape(`${site.origin}/script?code=${encodeURIComponent(code)}`, {
      actions: [{ type: 'wait', ms: 15_000 }],
    });
    expect(page.error?.code).toBe('page_out_of_memory');
    expect((await scraper.scrape(`${site.origin}/article.html`)).page.error).toBeNull();
    expect(scraper.logged.filter(({ event }) => event === 'browser_launched')).toHaveLength(2);
  });
});
