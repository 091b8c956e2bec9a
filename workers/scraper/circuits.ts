import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhenResult,
  isBrokenCircuitError,
} from 'cockatiel';
import { LRUCache } from 'lru-cache';
import type { ScrapedPage } from '../../scraping/scrape.ts';

/**
 * A circuit breaker a site (scheme, host and port). One that does not answer is left alone for a while: its jobs are snoozed,
 * which costs them no attempt and the worker no time, and one page in between tries whether it is back.
 */
export interface Circuits {
  /** Loads a page, or says at once that its site is down: `null`. */
  load(url: string, load: () => Promise<ScrapedPage>): Promise<ScrapedPage | null>;
}

/** In a row. A job that tries its three attempts on a dead site does not yet speak for others. */
const FAILURES_TO_OPEN = 10;
/** About as long a job waits whose site is left alone. */
export const CIRCUIT_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
const SITES = 5000;

/** The site could not be reached at all. An HTTP error is an answer. */
const SITE_IS_DOWN: ReadonlySet<string> = new Set([
  'dns_failed',
  'connection_refused',
  'connection_failed',
  'page_timeout',
]);

export function createCircuits(onChange: (site: string, open: boolean) => void): Circuits {
  const sites = new LRUCache<string, CircuitBreakerPolicy>({ max: SITES });

  const circuitOf = (site: string): CircuitBreakerPolicy => {
    let circuit = sites.get(site);
    if (!circuit) {
      circuit = circuitBreaker(
        handleWhenResult((result) => SITE_IS_DOWN.has((result as ScrapedPage).page.error?.code ?? '')),
        {
          breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
          halfOpenAfter: new ExponentialBackoff({
            initialDelay: CIRCUIT_PAUSE_MS,
            maxDelay: LONGEST_PAUSE_MS,
          }),
        },
      );
      circuit.onStateChange((state) => {
        if (state === CircuitState.Open) onChange(site, true);
        if (state === CircuitState.Closed) onChange(site, false);
      });
      sites.set(site, circuit);
    }
    return circuit;
  };

  return {
    load: async (url, load) => {
      try {
        return await circuitOf(new URL(url).origin).execute(load);
      } catch (error) {
        if (isBrokenCircuitError(error)) return null;
        throw error;
      }
    },
  };
}
