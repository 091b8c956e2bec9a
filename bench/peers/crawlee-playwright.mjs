import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Configuration, Dataset, log, PlaywrightCrawler, RequestQueue } from '@crawlee/playwright';
import { now, serve } from './serve.mjs';

// As in its documentation, with the same Chromium as ours: title and content of each page, pushed
// to the dataset on disk.
log.setLevel(log.LEVELS.ERROR);

serve({
  scrape: async ({ urls }) => {
    const storage = mkdtempSync(join(tmpdir(), 'bench-crawlee-'));
    const config = new Configuration({ storageClientOptions: { localDataDirectory: storage } });
    const finished = [];
    const dataset = await Dataset.open('bench', { config });
    const crawler = new PlaywrightCrawler(
      {
        requestQueue: await RequestQueue.open('bench', { config }),
        launchContext: {
          launchOptions: {
            executablePath: process.env.CHROMIUM_PATH,
            args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
          },
        },
        requestHandler: async ({ page, request }) => {
          await dataset.pushData({ url: request.url, title: await page.title(), html: await page.content() });
          finished.push(now());
        },
      },
      config,
    );
    await crawler.run(urls);
    rmSync(storage, { recursive: true, force: true });
    if (finished.length !== urls.length) throw new Error(`${finished.length} of ${urls.length} pages`);
    return finished;
  },
});
