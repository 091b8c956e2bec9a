import type { Migration } from './migration.ts';

/** By which `POST /jobs/map` searches too. */
export const linkTexts: Migration = {
  name: '0014-link-texts',
  sql: `
    -- Text of the first link to the address; "title" becomes that of the page once it is loaded.
    ALTER TABLE crawl_urls ADD COLUMN link_text text;
  `,
};
