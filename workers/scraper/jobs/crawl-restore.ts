import type { CrawlUrl } from '../../../db/pages/crawl.ts';
import type { Frontier, UrlState } from '../../../scraping/crawl/frontier.ts';

/** Rows per query: about 10 ms of work. */
const ROWS_AT_ONCE = 2000;

/**
 * Fills a frontier with the URLs that earlier attempts stored, in parts: a crawl may know half a
 * million, and reading them in one pass would delay heartbeats by seconds.
 *
 * @param read returns up to `limit` URLs after a position, in order
 * @returns the number of URLs in each state
 */
export async function restoreFrontier(
  frontier: Frontier,
  read: (after: number, limit: number) => Promise<Omit<CrawlUrl, 'title'>[]>,
): Promise<Map<UrlState, number>> {
  const counts = new Map<UrlState, number>();
  let last = -1;
  for (;;) {
    const rows = await read(last, ROWS_AT_ONCE);
    for (const { contentHash, state, ...url } of rows) {
      const is = state as UrlState;
      frontier.restore({ ...url, title: null }, is, contentHash);
      counts.set(is, (counts.get(is) ?? 0) + 1);
      last = url.position;
    }
    if (rows.length < ROWS_AT_ONCE) return counts;
  }
}
