import { createCircuitBreakers } from '../../../runtime/circuit-breakers.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';

/**
 * A circuit breaker per site (scheme, host and port). One that does not answer is left alone for a while: its jobs are snoozed,
 * which costs them no attempt and the worker no time, and one page in between tries whether it is back.
 */
export interface SiteCircuitBreakers {
  /** Loads a page, or says at once that its site is down: `null`. */
  load(url: string, load: () => Promise<ScrapedPage>): Promise<ScrapedPage | null>;
}

/** In a row. Three attempts of one job on a dead site are not enough. */
const FAILURES_TO_OPEN = 10;
/** About as long a job waits whose site is left alone. */
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
