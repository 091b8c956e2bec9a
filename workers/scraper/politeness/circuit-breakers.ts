import { createCircuitBreakers } from '../../../runtime/circuit-breakers.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';

/**
 * A circuit breaker per site (scheme, host and port). While a site's circuit is open its jobs are
 * snoozed, which costs them no attempt and the worker no time; after a pause one page tests the
 * site.
 */
export interface SiteCircuitBreakers {
  /** Loads a page; resolves with null at once if the site's circuit is open. */
  load(url: string, load: () => Promise<ScrapedPage>): Promise<ScrapedPage | null>;
}

/** In a row. More than the three attempts of one job on a dead site. */
const FAILURES_TO_OPEN = 10;
/** A job waits for one to two times this long while its site's circuit is open. */
export const CIRCUIT_PAUSE_MS = 10_000;

/** The site could not be reached at all. An HTTP error is an answer. */
const SITE_IS_DOWN: ReadonlySet<string> = new Set([
  'dns_failed',
  'connection_refused',
  'connection_failed',
  'page_timeout',
]);

export function createSiteCircuitBreakers(
  onChange: (site: string, open: boolean) => void,
): SiteCircuitBreakers {
  const circuits = createCircuitBreakers<ScrapedPage>({
    isFailure: ({ page }) => SITE_IS_DOWN.has(page.error?.code ?? ''),
    ...{ failuresToOpen: FAILURES_TO_OPEN, firstPauseMs: CIRCUIT_PAUSE_MS, onChange },
  });
  return { load: (url, load) => circuits.run(new URL(url).origin, load) };
}
