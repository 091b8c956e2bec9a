import type { ClaimedJob } from '../../../core/jobs/job.ts';
import { pageErrorConsequence } from '../../../core/jobs/page-errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { openScraping, type ScrapeContext, type Scraping } from '../../../scraping/engine/page-engine.ts';
import type { Visit } from '../../../scraping/leads/site-visit.ts';
import { type Later, snoozeFor, type VisitPage } from '../politeness/polite-fetch.ts';

/** Pages of candidates' sites, got as any page of a job is: through the engine, with manners. */
export interface SiteVisitor {
  visit: Visit;
  close(): void;
}

/** @param onLater told of each host that must be left alone for now, before the visit throws its SnoozeError */
export function createSiteVisitor(options: {
  scraping: Omit<ScrapeContext, 'signal' | 'logger'>;
  visitPage: VisitPage;
}): (job: ClaimedJob, signal: AbortSignal, logger: Logger, onLater: (later: Later) => void) => SiteVisitor {
  return (job, signal, logger, onLater) => {
    // Not `headers`: they may hold what one site knows its user by, and these sites are strangers'.
    const { render, timeout_ms } = job.spec;
    const spec = {
      formats: ['raw_html' as const],
      ...(render ? { render } : {}),
      ...(timeout_ms ? { timeout_ms } : {}),
    };
    // One page at a time each; as many as there are sites under way.
    const idle: Scraping[] = [];
    const open = new Set<Scraping>();

    return {
      visit: async (url) => {
        const scraping = idle.pop() ?? openScraping(spec, { ...options.scraping, signal, logger });
        open.add(scraping);
        const visited = await options.visitPage(
          url,
          (mayFollow) => scraping.scrape(url, mayFollow),
          job,
          signal,
        );
        idle.push(scraping);
        switch (visited.kind) {
          case 'later':
            onLater(visited.later);
            throw snoozeFor([visited.later], false);
          case 'disallowed':
            return {
              kind: 'failed',
              error: visited.error,
              retryable: pageErrorConsequence(visited.error.code) === 'retryable',
            };
          case 'page': {
            const { page } = visited.scraped;
            if (page.error || page.raw_html === undefined || page.final_url === null) {
              const error = page.error ?? { code: 'extraction_failed', message: 'the page has no content' };
              return { kind: 'failed', error, retryable: pageErrorConsequence(error.code) === 'retryable' };
            }
            return {
              kind: 'page',
              url: page.final_url,
              html: page.raw_html,
              status: page.status_code ?? 200,
            };
          }
          default:
            return visited satisfies never;
        }
      },
      close: () => {
        // Not awaited: a page that hangs takes seconds to end, and the pool waits for it when it stops.
        for (const scraping of open) void scraping.close();
      },
    };
  };
}
