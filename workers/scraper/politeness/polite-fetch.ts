import { ErrorCode, type ErrorInfo, SnoozeError } from '../../../core/errors.ts';
import type { Page } from '../../../core/jobs/page.ts';
import type { SnoozeBudget } from '../../../core/jobs/snooze-budget.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';
import type { Denied, RedirectPermission } from '../../../scraping/politeness/permit.ts';
import { CIRCUIT_PAUSE_MS, type SiteCircuitBreakers } from './circuit-breakers.ts';
import { MAX_WAIT_MS } from './host-limiter.ts';
import type { Permit } from './permit.ts';
import type { Politeness } from './politeness.ts';

/** Fetches one page under a permit, unless its site's circuit is open. */
export type PoliteFetch = (
  url: string,
  load: (permit: RedirectPermission) => Promise<ScrapedPage>,
  job: { isResumed: boolean; snoozes: number },
  signal: AbortSignal,
) => Promise<FetchResult>;

export type FetchResult =
  | { kind: 'page'; scraped: ScrapedPage }
  /** Disallowed by robots.txt, or robots.txt could not be read. */
  | { kind: 'disallowed'; error: ErrorInfo }
  /** Later: the host is busy, paused or down. */
  | { kind: 'postponed'; wait: Wait };

/** Why a page is postponed, and what that costs its job. */
export interface Wait {
  /** Host of the requested page. */
  host: string;
  code: string;
  message: string;
  delayMs: number;
  budget: SnoozeBudget;
}

/** How often a fetch waits in its slot for a short pause that the server asks for. */
const PAUSES = 3;
/** A job snoozed this often by its sites stores their refusal as the page. */
const SNOOZES = 10;

export function createPoliteFetch(options: {
  politeness: Pick<Politeness, 'acquire'>;
  circuits: SiteCircuitBreakers;
}): PoliteFetch {
  const { politeness, circuits } = options;

  return async (url, load, { isResumed, snoozes }, signal) => {
    const { host } = new URL(url);
    for (let pauses = 0; ; pauses += 1) {
      // A page that was paused after its permit precedes others, as a resumed job does.
      const acquired = await politeness.acquire(url, signal, { isResumed: isResumed || pauses > 0 });
      if (acquired.kind !== 'granted') return denied(url, acquired);
      const { scraped, deferred, askedBy } = await fetchOnce(url, load, acquired);
      if (!scraped) return postponed(siteIsDown(host));
      if (deferred) return postponed(hostIsBusy(host, deferred.ms, deferred.host));
      const pauseMs = scraped.retryAfterMs;
      if (pauseMs === null || snoozes >= SNOOZES) return { kind: 'page', scraped };
      if (pauseMs > MAX_WAIT_MS) return postponed(siteAskedToWait(host, pauseMs, askedBy));
      if (pauses === PAUSES) return { kind: 'page', scraped };
    }
  };

  async function fetchOnce(url: string, load: Parameters<PoliteFetch>[1], acquired: Permit) {
    using permit = acquired;
    const scraped = await circuits.load(url, () => load(permit));
    const askedBy = new URL(scraped?.page.final_url ?? url).host;
    permit.pause(scraped?.retryAfterMs ?? 0, askedBy);
    return { scraped, deferred: permit.deferred, askedBy };
  }

  async function denied(url: string, why: Denied): Promise<FetchResult> {
    const { host } = new URL(url);
    if (why.kind === 'wait') return postponed(hostIsBusy(host, why.ms));
    if (why.error.code === 'robots_disallowed') return why;
    // A failed fetch of robots.txt counts against the site's circuit, as that of a page does.
    const counted = await circuits.load(url, async () => pageNotLoaded(url, why.error));
    return counted ? why : postponed(siteIsDown(host));
  }
}

const postponed = (wait: Wait): FetchResult => ({ kind: 'postponed', wait });

/** @param where the busy host, another one after a redirect */
const hostIsBusy = (host: string, delayMs: number, where = host): Wait => ({
  host,
  code: ErrorCode.hostBusy,
  message: `waiting for a permit of ${where}`,
  delayMs,
  budget: 'unchanged',
});

const siteAskedToWait = (host: string, delayMs: number, askedBy: string): Wait => ({
  host,
  code: ErrorCode.siteAskedToWait,
  message: `${askedBy} asked for a pause of ${Math.ceil(delayMs / 1000)} s`,
  delayMs,
  budget: 'consumed',
});

const siteIsDown = (host: string): Wait => ({
  host,
  code: ErrorCode.siteUnavailable,
  message: `${host} did not answer lately; trying again later`,
  delayMs: CIRCUIT_PAUSE_MS * (1 + Math.random()),
  budget: 'consumed',
});

/** The snooze of a job with postponed pages: until the first of them is due. */
export function snoozeFor(waits: Wait[], progressed: boolean): SnoozeError {
  const [first] = [...waits].sort((a, b) => a.delayMs - b.delayMs);
  if (!first) throw new Error('there is nothing to wait for');
  const budget = first.budget === 'consumed' && progressed ? 'reset' : first.budget;
  return new SnoozeError(first.code, first.message, first.delayMs, budget);
}

/** The record of a page that was not fetched. */
export function pageNotLoaded(url: string, error: ErrorInfo): ScrapedPage {
  const page: Page = {
    ...{ url, final_url: null, status_code: null, content_type: null, title: null },
    ...{ engine: 'http', fetched_at: new Date().toISOString(), duration_ms: 0, error },
  };
  return { page, artifacts: [], retryAfterMs: null };
}
