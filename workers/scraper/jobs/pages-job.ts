import pMap from 'p-map';
import type { ClaimedJob, Counts } from '../../../core/jobs/job.ts';
import type { Database } from '../../../db/connect.ts';
import { listStoredPages, type StoredPage, storePages } from '../../../db/jobs/run.ts';
import { retryWhileUnavailable } from '../../../db/retry-while-unavailable.ts';
import { createBatcher } from '../../../runtime/batch.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import { openScraping, type ScrapeContext } from '../../../scraping/engine/page-engine.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';
import type { Scrape } from '../execution.ts';
import { AttemptAborted, type FailedPage, failedPage, outcomeFromPages } from '../outcome.ts';
import { type PoliteFetch, pageNotLoaded, snoozeFor, type Wait } from '../politeness/polite-fetch.ts';
import { type UploadArtifacts, withArtifactPaths } from './artifacts.ts';

/**
 * Scrapes the URLs of a job in order, as many at once as its engine can use, and stores each page as it comes. An attempt after a
 * crash goes on behind what is stored.
 */
export function createPagesJob(options: {
  database: Database;
  scraping: Omit<ScrapeContext, 'signal' | 'logger'>;
  politeFetch: PoliteFetch;
  uploadArtifacts: UploadArtifacts;
}): Scrape {
  const { database, uploadArtifacts, politeFetch } = options;

  return async (job, signal, logger) => {
    const urls = job.spec.urls ?? [];
    const stored = job.isResumed
      ? await retryWhileUnavailable([signal], logger, () => listStoredPages(database, job.id))
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
    const postponed = new Map<string, Wait>();
    let progressed = false;
    const waiting = [...urls.entries()].filter(([position]) => !known.has(position));
    const isOnlyPage = waiting.length === 1;
    const scraping = openScraping(job.spec, { ...options.scraping, signal, logger, isOnlyPage });
    const store = createStore(job, signal, logger);
    try {
      const fetchAndStore = async ([position, url]: [number, string]) => {
        // A host that made the job wait once is not asked again for each of its pages.
        if (postponed.has(new URL(url).host)) return;
        const fetched = await politeFetch(url, (permit) => scraping.scrape(url, permit), job, signal);
        if (fetched.kind === 'postponed') {
          postponed.set(fetched.wait.host, fetched.wait);
          return;
        }
        progressed = true;
        const scraped = fetched.kind === 'page' ? fetched.scraped : pageNotLoaded(url, fetched.error);
        const { error } = scraped.page;
        if (error) failed.push(failedPage(error));
        else done.add(position);
        const counts = { pages: done.size + failed.length, leads: 0, errors: failed.length };
        await store(storedPage(job, position, scraped, counts, urls.length));
      };
      // In order. The first failure ends it at once, and begins no further page.
      await pMap(waiting, fetchAndStore, { concurrency: scraping.concurrency });
    } finally {
      // Not awaited: a page that hangs takes seconds to end, and the pool waits for it when it stops.
      void scraping.close();
    }
    // What could be had is stored; the rest is for when the site is back.
    if (postponed.size > 0) throw snoozeFor([...postponed.values()], progressed);
    return outcomeFromPages(urls.length, failed);
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
        const isOurs = await retryWhileUnavailable([signal], logger, async () => {
          const ready: StoredPage[] = [];
          for (const page of pages) ready.push(await uploadArtifacts(job, page));
          return await storePages(database, job, ready);
        });
        signal.throwIfAborted();
        if (!isOurs) throw new AttemptAborted('lease_lost');
        return pages.map(() => undefined);
      },
      { maxItems: 16, maxRuns: 1 },
    );
  }
}

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
