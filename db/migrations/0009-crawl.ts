import type { Migration } from './index.ts';

/**
 * The addresses of a crawl: what is known, what waits, what was done with each. A crawl that is interrupted goes on from here.
 *
 * `position` is the order of discovery and the page's place among the job's pages, so a page that is stored twice is there once.
 */
export const crawl: Migration = {
  name: '0009-crawl',
  up: `
    CREATE TABLE crawl_urls (
      job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
      position integer NOT NULL,
      url text NOT NULL,
      depth smallint NOT NULL,
      -- Of its kind of address in a row, see scraping/crawl/traps.ts.
      chain integer NOT NULL,
      state text NOT NULL DEFAULT 'waiting',
      tries smallint NOT NULL DEFAULT 0,
      title text,
      content_hash bytea,
      PRIMARY KEY (job_id, position)
    ) WITH (fillfactor = 80);
  `,
};
