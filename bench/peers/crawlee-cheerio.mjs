import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheerioCrawler, Configuration, Dataset, log, RequestQueue } from '@crawlee/cheerio';
import { now, serve } from './serve.mjs';

// As in its documentation: the title and the links of each page, pushed to the dataset, which is on
// disk by default.
log.setLevel(log.LEVELS.ERROR);

serve({
  scrape: async ({ urls, concurrency, persist }) => {
    const storage = mkdtempSync(join(tmpdir(), 'bench-crawlee-'));
    const config = new Configuration({
      persistStorage: persist,
      storageClientOptions: { localDataDirectory: storage },
    });
    const finished = [];
    const dataset = await Dataset.open('bench', { config });
    const crawler = new CheerioCrawler(
      {
        requestQueue: await RequestQueue.open('bench', { config }),
        // By default it begins with one at a time and takes minutes to scale up.
        minConcurrency: concurrency,
        requestHandler: async ({ $, request }) => {
          const links = $('a[href]')
            .map((_, element) => new URL($(element).attr('href'), request.loadedUrl).href)
            .get();
          await dataset.pushData({ url: request.url, title: $('title').text(), links });
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
