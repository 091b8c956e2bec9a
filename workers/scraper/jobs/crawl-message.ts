import type { RefusalReason, UrlState } from '../../../scraping/crawl/frontier.ts';

/** The state of a crawl. */
export interface CrawlState {
  /** Stored. */
  pages: number;
  /** URLs, visited or not. */
  known: number;
  maxKnown: number;
  leftOut: ReadonlyMap<UrlState, number>;
  refusals: Readonly<Record<RefusalReason, number>>;
  /** URLs that wait although the crawl has all the pages it may have. */
  unvisited: number;
}

/** `progress.message` of a crawl: what it has, and what it left out for which reason. */
export function crawlMessage({ pages, known, maxKnown, leftOut, refusals, unvisited }: CrawlState): string {
  const reasons: [number | undefined, string][] = [
    [leftOut.get('duplicate'), 'the same as another page'],
    [leftOut.get('disallowed'), 'not allowed by robots.txt'],
    [leftOut.get('outside'), 'redirected to another site'],
    [refusals.too_deep, 'deeper than max_depth'],
    [refusals.trap, 'left out as part of an endless list'],
    [refusals.too_many, `beyond the ${maxKnown} addresses that the crawl may know`],
    [unvisited, 'not loaded because of max_pages'],
  ];
  return [
    `${pages} pages`,
    `${known} addresses known`,
    ...reasons.filter(([count]) => count).map(([count, reason]) => `${count} ${reason}`),
  ].join(', ');
}
