import pMap from 'p-map';
import type { SnoozeError } from '../../../core/errors.ts';
import type { ClaimedJob, Counts } from '../../../core/jobs/job.ts';
import type { Database } from '../../../db/connect.ts';
import { listStoredPages, type StoredPage, storePages } from '../../../db/jobs/run.ts';
import { retryWhileUnavailable } from '../../../db/retry-while-unavailable.ts';
import { createBatcher } from '../../../runtime/batch.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import { openPageEngine, type PageEngineContext } from '../../../scraping/engine/page-engine.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';
import type { Allowance } from '../allowance.ts';
import type { Scrape } from '../execution.ts';
import { AttemptAborted, type FailedPage, failedPage, outcomeFromPages } from '../outcome.ts';
import { type PoliteFetch, pageNotLoaded, snoozeFor, type Wait } from '../politeness/polite-fetch.ts';
import { type UploadArtifacts, withArtifactPaths } from './artifacts.ts';

/**
 * Scrapes the URLs of a job in order, with the engine's concurrency, and stores each page when it
 * is scraped. An attempt after a crash skips the stored pages.
 */
export function createPagesJob(options: {
  database: Database;
  scraping: Omit<PageEngineContext, 'signal' | 'logger'>;
  politeFetch: PoliteFetch;
  uploadArtifacts: UploadArtifacts;
  allowance: Pick<Allowance, 'refused'>;
}): Scrape {
  const { database, uploadArtifacts, politeFetch, allowance } = options;

  return async (job, signal, logger) => {
    const urls = job.spec.urls ?? [];
    const stored = job.isResumed
      ? await retryWhileUnavailable([signal], logger, () => listStoredPages(database, job.id))
      : [];
    signal.throwIfAborted();
    const done = new Set(stored?.filter(({ failed }) => !failed).map(({ position }) => position));
    // A resumed job does not reload pages that failed before its snooze, or it might never end.
    const known = new Set(done);
    const failed: FailedPage[] = [];
    let warned = 0;
    for (const { position, error } of stored ?? []) {
      if (!error) continue;
      known.add(position);
      failed.push(failedPage(error));
    }
    const postponed = new Map<string, Wait>();
    let progressed = false;
    const waiting = [...urls.entries()].filter(([position]) => !known.has(position));
    const isOnlyPage = waiting.length === 1;
    const scraping = openPageEngine(job.spec, { ...options.scraping, signal, logger, isOnlyPage });
    const store = createStore(job, signal, logger);
    try {
      const fetchAndStore = async ([position, url]: [number, string]) => {
        // A host that postponed one page is not asked again for the others.
        if (postponed.has(new URL(url).host)) return;
        const fetched = await politeFetch(url, (permit) => scraping.scrape(url, permit), job, signal);
        if (fetched.kind === 'postponed') {
          postponed.set(fetched.wait.host, fetched.wait);
          return;
        }
        progressed = true;
        const scraped = fetched.kind === 'page' ? fetched.scraped : pageNotLoaded(url, fetched.error);
        const { error, warnings } = scraped.page;
        if (warnings) warned += 1;
        if (error) failed.push(failedPage(error));
        else done.add(position);
        const counts = { pages: done.size + failed.length, leads: 0, errors: failed.length };
        await store(storedPage(job, position, scraped, counts, { total: urls.length, warned }));
      };
      // In order. The first rejection ends it at once, and no further page is begun.
      await pMap(waiting, fetchAndStore, { concurrency: scraping.concurrency });
    } finally {
      // Not awaited: a page that hangs takes seconds to end, and the pool waits for it when it
      // stops.
      void scraping.close();
    }
    // The other pages are stored; the postponed ones are for a later attempt.
    if (postponed.size > 0) throw snoozeFor([...postponed.values()], progressed);
    return outcomeFromPages(urls.length, failed);
  };

  /**
   * Pages that become ready while others are stored share the next statement. One statement at a
   * time, so that counts never decrease because a later one overtook an earlier one. Rejects pages
   * that exceed a limit, and with them the run; those before them are stored.
   */
  function createStore(
    job: ClaimedJob,
    signal: AbortSignal,
    logger: Logger,
  ): (page: StoredPage) => Promise<void> {
    const store = createBatcher<StoredPage, SnoozeError | null>(
      async (pages) => {
        const result = await retryWhileUnavailable([signal], logger, async () => {
          const ready: StoredPage[] = [];
          for (const page of pages) ready.push(await uploadArtifacts(job, page));
          return storeWhatFits(job, ready);
        });
        signal.throwIfAborted();
        if (!result) throw new AttemptAborted('lease_lost');
        return pages.map((_, index) => (index < result.stored ? null : result.refused));
      },
      { maxItems: 16, maxRuns: 1 },
    );
    return async (page) => {
      const refused = await store(page);
      if (refused) throw refused;
    };
  }

  async function storeWhatFits(
    job: ClaimedJob,
    pages: readonly StoredPage[],
  ): Promise<{ stored: number; refused: SnoozeError | null }> {
    const result = await storePages(database, job, pages);
    switch (result.kind) {
      case 'stored':
        return { stored: pages.length, refused: null };
      case 'lost':
        throw new AttemptAborted('lease_lost');
      case 'full': {
        const refused = allowance.refused(job, result.exhausted);
        if (result.fits === 0) return { stored: 0, refused };
        const { stored } = await storeWhatFits(job, pages.slice(0, result.fits));
        return { stored, refused };
      }
      default:
        return result satisfies never;
    }
  }
}

function storedPage(
  job: ClaimedJob,
  position: number,
  scraped: ScrapedPage,
  counts: Counts,
  { total, warned }: { total: number; warned: number },
): StoredPage {
  const message = `${counts.pages} of ${total} pages${warned > 0 ? `, ${warned} with warnings` : ''}`;
  const progress = { done: counts.pages, total, message };
  return { position, ...withArtifactPaths(job.id, position, scraped), progress, counts };
}
