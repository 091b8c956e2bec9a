import { load } from 'cheerio';
import { Agent, request } from 'undici';
import { now, serve } from './serve.mjs';

// Written by hand: the title and the links of each page, without storage.
serve({
  scrape: async ({ urls, concurrency }) => {
    const dispatcher = new Agent({ connections: concurrency });
    const waiting = [...urls];
    const finished = [];
    const worker = async () => {
      for (let url = waiting.shift(); url; url = waiting.shift()) {
        const { body } = await request(url, { dispatcher });
        const $ = load(await body.text());
        const links = $('a[href]')
          .map((_, element) => new URL($(element).attr('href'), url).href)
          .get();
        if ($('title').text() === '' && links.length === 0) throw new Error(`${url} did not load`);
        finished.push(now());
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    await dispatcher.close();
    return finished;
  },
});
