import type { ErrorInfo } from '../../../core/errors.ts';
import type { ClaimedJob, Counts } from '../../../core/jobs/job.ts';
import { pageErrorConsequence } from '../../../core/jobs/page-errors.ts';
import type { Database } from '../../../db/connect.ts';
import { listStoredPages, type StoredPage, storePages } from '../../../db/jobs/run.ts';
import { untilDatabaseAnswers } from '../../../db/retry-while-unavailable.ts';
import { createBatcher } from '../../../runtime/batch.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { openScraping, type ScrapeContext } from '../../../scraping/engine/page-engine.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';
import { wantsLeads } from '../../../scraping/leads/query.ts';
import { RunAborted } from '../attempt-aborted.ts';
import type { JobSteps } from '../execution.ts';
import { type Later, snoozeFor, type VisitPage } from '../politeness/polite-fetch.ts';
import { inLanes } from './concurrent-map.ts';
import { type FailedPage, verdict } from './outcome-from-pages.ts';
import { pageNotLoaded, withArtifactPaths } from './stored-page.ts';
import type { PutAside } from './upload-artifacts.ts';

/** A job goes by what it asks for: leads, a site, or a list of pages. */
export const createScrape =
  ({ list, crawl, leads }: Record<'list' | 'crawl' | 'leads', JobSteps['scrape']>): JobSteps['scrape'] =>
  (job, signal, logger) => {
    if (job.spec.urls && (job.spec.crawl || job.spec.map)) return crawl(job, signal, logger);
    return wantsLeads(job.spec) ? leads(job, signal, logger) : list(job, signal, logger);
  };

/**
 * Scrapes the URLs of a job in order, as many at once as its engine can use, and stores each page as it comes. An attempt after a
 * crash goes on behind what is stored.
 */
export function createJobScraper(options: {
  database: Database;
  scraping: Omit<ScrapeContext, 'signal' | 'logger'>;
  visitPage: VisitPage;
  putAside: PutAside;
}): JobSteps['scrape'] {
  const { database, putAside, visitPage } = options;

  return async (job, signal, logger) => {
    const urls = job.spec.urls ?? [];
    const stored = job.isBack
      ? await untilDatabaseAnswers([signal], logger, () => listStoredPages(database, job.id))
      : [];
    signal.throwIfAborted();
    const done = new Set(stored?.filter(({ failed }) => !failed).map(({ position }) => position));
    // A job that comes back from a wait does not load again what failed before it: it would never come to its end.
    const known = new Set(done);
    const failed: FailedPage[] = [];
    for (const { position, error } of stored ?? []) {
      if (!error) continue;
      known.add(position);
      failed.push(failedPage(error));
    }
    const later = new Map<string, Later>();
    let progressed = false;
    const waiting = [...urls.entries()].filter(([position]) => !known.has(position));
    const isOnlyPage = waiting.length === 1;
    const scraping = openScraping(job.spec, { ...options.scraping, signal, logger, isOnlyPage });
    const store = createStore(job, signal, logger);
    try {
      await inLanes(scraping.concurrency, waiting, async ([position, url]) => {
        // A host that closed its door is not asked again for each of its pages.
        if (later.has(new URL(url).host)) return;
        const visit = await visitPage(url, (mayFollow) => scraping.scrape(url, mayFollow), job, signal);
        if (visit.kind === 'later') {
          later.set(visit.later.host, visit.later);
          return;
        }
        progressed = true;
        const scraped = visit.kind === 'page' ? visit.scraped : pageNotLoaded(url, visit.error);
        const { error } = scraped.page;
        if (error) failed.push(failedPage(error));
        else done.add(position);
        const counts = { pages: done.size + failed.length, leads: 0, errors: failed.length };
        await store(storedPage(job, position, scraped, counts, urls.length));
      });
    } finally {
      // Not awaited: a page that hangs takes seconds to end, and the pool waits for it when it stops.
      void scraping.close();
    }
    // What could be had is stored; the rest is for when the site is back.
    if (later.size > 0) throw snoozeFor([...later.values()], progressed);
    return verdict(urls.length, failed);
  };

  /**
   * Pages that are ready while others are being stored go together. One statement at a time, so that the job's counts never go back
   * because one was overtaken.
   */
  function createStore(
    job: ClaimedJob,
    signal: AbortSignal,
    logger: Logger,
  ): (page: StoredPage) => Promise<void> {
    return createBatcher<StoredPage, void>(
      async (pages) => {
        const isOurs = await untilDatabaseAnswers([signal], logger, async () => {
          const ready: StoredPage[] = [];
          for (const page of pages) ready.push(await putAside(job, page));
          return await storePages(database, job, ready);
        });
        signal.throwIfAborted();
        if (!isOurs) throw new RunAborted('lost');
        return pages.map(() => undefined);
      },
      { maxItems: 16, maxRuns: 1 },
    );
  }
}

const failedPage = (error: ErrorInfo): FailedPage => ({
  error,
  retryable: pageErrorConsequence(error.code) === 'retryable',
});

function storedPage(
  job: ClaimedJob,
  position: number,
  scraped: ScrapedPage,
  counts: Counts,
  total: number,
): StoredPage {
  const progress = { done: counts.pages, total, message: `${counts.pages} of ${total} pages` };
  return { position, ...withArtifactPaths(job.id, position, scraped), progress, counts };
}
