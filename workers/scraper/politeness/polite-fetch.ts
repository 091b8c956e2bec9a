import { ErrorCode, type ErrorInfo, SnoozeError } from '../../../core/errors.ts';
import type { Patience } from '../../../core/jobs/job-state.ts';
import { type PageErrorCode, PageFailure } from '../../../core/jobs/page-errors.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';
import type { Manners, MayFollow } from '../../../scraping/politeness/politeness.ts';
import { pageNotLoaded } from '../jobs/stored-page.ts';
import { CIRCUIT_PAUSE_MS, type Circuits } from './circuit-breakers.ts';
import { PATIENCE_MS } from './host-limiter.ts';

/** What came of wanting a page. */
export type Visit =
  | { kind: 'page'; scraped: ScrapedPage }
  /** By robots.txt, or because it could not be read. */
  | { kind: 'disallowed'; error: ErrorInfo }
  /** Not now; nothing is wrong with the job. */
  | { kind: 'later'; later: Later };

export interface Later {
  /** Of the page that was wanted. */
  host: string;
  code: string;
  message: string;
  delayMs: number;
  patience: Patience;
}

/** Loads one page with manners: in its turn, not where robots.txt is against it, and not while the site is down; wherever it leads. */
export type VisitPage = (
  url: string,
  load: (mayFollow: MayFollow) => Promise<ScrapedPage>,
  job: { isBack: boolean; snoozes: number },
  signal: AbortSignal,
) => Promise<Visit>;

/** A server that asks for a moment's pause is given it on the spot, so often. */
const PAUSES = 3;
/** A job that waited for its sites so often takes their refusal for an answer. */
const WAITS = 10;

export function createVisitPage({ manners, circuits }: { manners: Manners; circuits: Circuits }): VisitPage {
  return async (url, load, { isBack, snoozes }, signal) => {
    const { host } = new URL(url);
    for (let pauses = 0; ; pauses += 1) {
      // A page that was let in once and met a pause is back, too.
      const admission = await manners.admit(url, signal, { isBack: isBack || pauses > 0 });
      if (admission.kind === 'disallowed') {
        if (admission.error.code === 'robots_disallowed') return admission;
        // A site that is not there is found out by its robots.txt, and is left alone like one found out by a page.
        const counted = await circuits.load(url, async () => pageNotLoaded(url, admission.error));
        return counted ? admission : { kind: 'later', later: siteIsDown(host) };
      }
      if (admission.kind === 'wait') return { kind: 'later', later: hostIsBusy(host, admission.ms) };
      let busy = null as { host: string; ms: number } | null;
      const mayFollow: MayFollow = async (next) => {
        const onward = await admission.follow(next);
        if (onward.kind === 'go') return;
        if (onward.kind === 'disallowed') throw failureOf(onward.error);
        busy = { host: new URL(next).host, ms: onward.ms };
        throw new PageFailure('robots_unreadable');
      };
      let pauseMs: number | null = null;
      let asking = host;
      let scraped: ScrapedPage | null;
      try {
        scraped = await circuits.load(url, () => load(mayFollow));
        pauseMs = scraped?.retryAfterMs ?? null;
        asking = new URL(scraped?.page.final_url ?? url).host;
      } finally {
        admission.done({ pauseMs: pauseMs ?? 0, host: asking });
      }
      if (!scraped) return { kind: 'later', later: siteIsDown(host) };
      if (busy) return { kind: 'later', later: hostIsBusy(host, busy.ms, busy.host) };
      if (pauseMs === null || snoozes >= WAITS) return { kind: 'page', scraped };
      if (pauseMs > PATIENCE_MS) return { kind: 'later', later: siteAskedToWait(host, pauseMs, asking) };
      if (pauses === PAUSES) return { kind: 'page', scraped };
    }
  };
}

const failureOf = ({ code, message }: ErrorInfo) => new PageFailure(code as PageErrorCode, message);

/** @param where the page was led to, which may be another host */
const hostIsBusy = (host: string, delayMs: number, where = host): Later => ({
  host,
  code: ErrorCode.hostBusy,
  message: `waiting for a turn at ${where}`,
  delayMs,
  patience: 'kept',
});

const siteAskedToWait = (host: string, delayMs: number, asking: string): Later => ({
  host,
  code: ErrorCode.siteAskedToWait,
  message: `${asking} asked to be left alone for ${Math.ceil(delayMs / 1000)} s`,
  delayMs,
  patience: 'spent',
});

const siteIsDown = (host: string): Later => ({
  host,
  code: ErrorCode.siteUnavailable,
  message: `${host} did not answer lately; trying again later`,
  delayMs: CIRCUIT_PAUSE_MS * (1 + Math.random()),
  patience: 'spent',
});

/** What becomes of a job that has to wait for some of its pages: it comes back for the first of them. */
export function snoozeFor(laters: Later[], progressed: boolean): SnoozeError {
  const [first] = [...laters].sort((a, b) => a.delayMs - b.delayMs);
  if (!first) throw new Error('there is nothing to wait for');
  const patience = first.patience === 'spent' && progressed ? 'restored' : first.patience;
  return new SnoozeError(first.code, first.message, first.delayMs, patience);
}
