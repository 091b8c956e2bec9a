import { type BrowserContext, chromium } from 'playwright';
import { now } from '../measure.ts';
import { serve } from './serve.ts';

/**
 * Playwright alone: one browser, a new context per page, a fixed number of concurrent pages, the
 * content discarded.
 */
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH,
  chromiumSandbox: process.getuid?.() !== 0,
});
const UNREAD = 'png jpg jpeg gif webp avif ico bmp svg css woff woff2 ttf otf eot mp4 webm mp3'
  .split(' ')
  .flatMap((extension) => [`*.${extension}`, `*.${extension}?*`]);

interface Task {
  urls: string[];
  concurrency: number;
  /**
   * A first version, or an optimized one: unneeded requests are blocked by the browser itself, and
   * nothing is awaited beyond the document.
   */
  setUp: 'first' | 'best';
  /** Text that every page has in its HTML. */
  expects: string;
}

serve({
  scrape: async ({ urls, concurrency, setUp, expects }: Task) => {
    const waiting = [...urls];
    const finished: number[] = [];
    const worker = async () => {
      for (let url = waiting.shift(); url; url = waiting.shift()) {
        const context = await browser.newContext();
        const html = await (setUp === 'best' ? quickly(context, url) : simply(context, url));
        await context.close();
        if (!html.includes(expects)) throw new Error(`${url} did not load`);
        finished.push(now());
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    return finished;
  },
});

async function simply(context: BrowserContext, url: string): Promise<string> {
  const page = await context.newPage();
  await page.goto(url);
  return await page.content();
}

async function quickly(context: BrowserContext, url: string): Promise<string> {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.setBlockedURLs', { urls: UNREAD });
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  return await page.content();
}

process.on('SIGTERM', async () => {
  await browser.close();
  process.exit(0);
});
process.send?.({ type: 'ready' });
