import { chromium } from 'playwright';
import { now } from '../measure.ts';
import { serve } from './serve.ts';

/**
 * Playwright as somebody would set it up who measured: the headless shell, what is not read blocked by the browser itself, no
 * wait beyond the document, a new context for each page, and nothing done with the content.
 */
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH,
  chromiumSandbox: process.getuid?.() !== 0,
});
const UNREAD = 'png jpg jpeg gif webp avif ico bmp svg css woff woff2 ttf otf eot mp4 webm mp3'
  .split(' ')
  .flatMap((extension) => [`*.${extension}`, `*.${extension}?*`]);

serve({
  scrape: async ({ urls, lanes }: { urls: string[]; lanes: number }) => {
    const waiting = [...urls];
    const finished: number[] = [];
    const lane = async () => {
      for (let url = waiting.shift(); url; url = waiting.shift()) {
        const context = await browser.newContext();
        const page = await context.newPage();
        const cdp = await context.newCDPSession(page);
        await cdp.send('Network.enable');
        await cdp.send('Network.setBlockedURLs', { urls: UNREAD });
        await page.goto(url, { waitUntil: 'domcontentloaded' });
        const html = await page.content();
        if (!html.includes('</html>')) throw new Error(`${url} did not load`);
        await context.close();
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
