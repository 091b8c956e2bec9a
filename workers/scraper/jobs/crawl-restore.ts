import type { CrawlUrl } from '../../../db/pages/crawl.ts';
import type { Frontier, UrlState } from '../../../scraping/crawl/frontier.ts';

/** Rows read at once: some 10 ms of work. */
const ROWS_AT_ONCE = 2000;

/**
 * Fills a frontier with what earlier attempts stored, in parts: a crawl may know half a million addresses, and all at once would keep
 * the process from its heartbeats for seconds.
 *
 * @param read the addresses behind a position, in order
 * @returns how many robots.txt did not allow
 */
export async function restoreFrontier(
  frontier: Frontier,
  read: (after: number, limit: number) => Promise<Omit<CrawlUrl, 'title'>[]>,
): Promise<{ disallowed: number }> {
  let disallowed = 0;
  let last = -1;
  for (;;) {
    const rows = await read(last, ROWS_AT_ONCE);
    for (const { contentHash, state, ...url } of rows) {
      frontier.restore({ ...url, title: null }, state as UrlState, contentHash);
      if (state === 'disallowed') disallowed += 1;
      last = url.position;
    }
    if (rows.length < ROWS_AT_ONCE) return { disallowed };
  }
}
