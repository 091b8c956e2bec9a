import { SnoozeError } from '../../../core/errors.ts';
import type { ClaimedJob } from '../../../core/jobs/job.ts';
import { PageFailure } from '../../../core/jobs/page-errors.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import {
  openPageEngine,
  type PageEngine,
  type PageEngineContext,
} from '../../../scraping/engine/page-engine.ts';
import { Deadline } from '../../../scraping/fetching/deadline.ts';
import type { ReadSitePage, Visit } from '../../../scraping/leads/site-visit.ts';
import type { Allowance } from '../allowance.ts';
import { failedPage } from '../outcome.ts';
import { type PoliteFetch, snoozeFor, type Wait } from '../politeness/polite-fetch.ts';

/** Fetches pages of candidates' sites like any page of a job: by the page engine, politely. */
export interface SiteVisitor {
  visit: Visit;
  readPage: ReadSitePage;
  close(): void;
}

/** Ten times what the largest honest page takes. */
const READING_MS = 10_000;

/** `onPostponed` is called with each postponed host, before the visit throws its SnoozeError. */
export function createSiteVisitor(options: {
  scraping: Omit<PageEngineContext, 'signal' | 'logger'>;
  politeFetch: PoliteFetch;
  allowance: Pick<Allowance, 'require'>;
}): (job: ClaimedJob, signal: AbortSignal, logger: Logger, onPostponed: (wait: Wait) => void) => SiteVisitor {
  return (job, signal, logger, onPostponed) => {
    // Not `headers`: they may hold credentials for one site, and these sites are other parties'.
    // A login of `urls` is: it goes to its own origin alone.
    const { render, timeout_ms, logins } = job.spec;
    const spec = {
      formats: ['raw_html' as const],
      ...(render ? { render } : {}),
      ...(timeout_ms ? { timeout_ms } : {}),
      ...(logins ? { logins } : {}),
    };
    // Each loads one page at a time; there are as many as sites being visited.
    const idle: PageEngine[] = [];
    const open = new Set<PageEngine>();

    return {
      visit: async (url) => {
        await options.allowance.require(job).catch((error) => {
          if (error instanceof SnoozeError) onPostponed({ ...waitOf(error), host: new URL(url).host });
          throw error;
        });
        const scraping = idle.pop() ?? openPageEngine(spec, { ...options.scraping, signal, logger });
        open.add(scraping);
        const fetched = await options.politeFetch(url, (permit) => scraping.scrape(url, permit), job, signal);
        idle.push(scraping);
        switch (fetched.kind) {
          case 'postponed':
            onPostponed(fetched.wait);
            throw snoozeFor([fetched.wait], false);
          case 'disallowed':
            return { kind: 'failed', ...failedPage(fetched.error) };
          case 'page': {
            const { page } = fetched.scraped;
            if (page.error || page.raw_html === undefined || page.final_url === null) {
              const error = page.error ?? { code: 'extraction_failed', message: 'the page has no content' };
              return { kind: 'failed', ...failedPage(error) };
            }
            return {
              kind: 'page',
              url: page.final_url,
              html: page.raw_html,
              status: page.status_code ?? 200,
            };
          }
          default:
            return fetched satisfies never;
        }
      },
      readPage: async (input) => {
        const deadline = new Deadline(READING_MS, signal, () => new PageFailure('page_timeout'));
        try {
          return await options.scraping.browser.extractor.read('site', input, deadline.signal);
        } catch (error) {
          signal.throwIfAborted();
          if (!(error instanceof PageFailure)) throw error;
          logger.info('lead_page_unreadable', { url: input.url, code: error.code });
          return { observations: [], contactPages: [], isListing: false };
        } finally {
          deadline.dispose();
        }
      },
      close: () => {
        // Not awaited: a page that hangs takes seconds to end, and the pool waits for it when it
        // stops.
        for (const scraping of open) void scraping.close();
      },
    };
  };
}

const waitOf = ({ code, message, delayMs, budget }: SnoozeError) => ({ code, message, delayMs, budget });
