import { chromium } from 'playwright';
import { now } from '../measure.ts';
import { serve } from './serve.ts';

/** What anyone would write first: one browser, a new context for each page, so many pages at the same time. */
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH,
  chromiumSandbox: process.getuid?.() !== 0,
});

serve({
  scrape: async ({ urls, lanes }: { urls: string[]; lanes: number }) => {
    const waiting = [...urls];
    const finished: number[] = [];
    const lane = async () => {
      for (let url = waiting.shift(); url; url = waiting.shift()) {
        const context = await browser.newContext();
        const page = await context.newPage();
        await page.goto(url);
        const html = await page.content();
        await context.close();
        if (!html.includes('Catalogue page')) throw new Error(`${url} did not load`);
        finished.push(now());
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return finished;
  },
});

process.on('SIGTERM', async () => {
  await browser.close();
  process.exit(0);
});
process.send?.({ type: 'ready' });
