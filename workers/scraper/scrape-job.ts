import type { ArtifactStore } from '../../core/artifacts.ts';
import { ErrorCode, PermanentError, RetryableError } from '../../core/errors.ts';
import type { ClaimedJob, Counts } from '../../core/job.ts';
import type { Artifact, Page } from '../../core/page.ts';
import { openArtifactFolder } from '../../db/artifacts.ts';
import type { Database } from '../../db/connect.ts';
import { listStoredPages, type StoredPage, storePage } from '../../db/jobs/run.ts';
import { pageErrorConsequence } from '../../scraping/page-errors.ts';
import { openScraping, type ScrapeContext, type ScrapedPage } from '../../scraping/scrape.ts';
import { RunAborted } from './abort.ts';
import { type Circuits, siteIsDown } from './circuits.ts';
import { inLanes, oneByOne } from './lanes.ts';
import { untilDatabaseAnswers } from './persist.ts';
import type { JobSteps } from './run-job.ts';
import { type FailedPage, verdict } from './verdict.ts';

/**
 * Scrapes the URLs of a job in order, as many at once as its engine can use, and stores each page as it comes. An attempt after a
 * crash goes on behind what is stored.
 */
export function createJobScraper(options: {
  database: Database;
  /** Undefined: artifacts are stored with their page. */
  artifacts: ArtifactStore | undefined;
  scraping: Omit<ScrapeContext, 'signal' | 'logger'>;
  circuits: Circuits;
}): JobSteps['scrape'] {
  const { database, artifacts, circuits } = options;
  const putAside = createPutAside(database);

  return async (job, signal, logger) => {
    const urls = job.spec.urls;
    if (!urls) {
      throw new PermanentError(
        ErrorCode.noSource,
        'no source of leads is installed here; give the pages to scrape in urls',
      );
    }
    const stored = await untilDatabaseAnswers([signal], logger, () => listStoredPages(database, job.id));
    signal.throwIfAborted();
    const done = new Set(stored?.filter(({ failed }) => !failed).map(({ position }) => position));
    const failed: FailedPage[] = [];
    const blocked: string[] = [];
    const scraping = openScraping(job.spec, { ...options.scraping, signal, logger });
    // The job's counts must not go back because a statement was overtaken.
    const inTurn = oneByOne();
    const waiting = [...urls.entries()].filter(([position]) => !done.has(position));
    try {
      await inLanes(scraping.concurrency, waiting, async ([position, url]) => {
        const scraped = await circuits.load(url, () => scraping.scrape(url));
        if (!scraped) {
          blocked.push(url);
          return;
        }
        await inTurn(async () => {
          const { error } = scraped.page;
          if (error) failed.push({ error, retryable: pageErrorConsequence(error.code) === 'retryable' });
          else done.add(position);
          const counts = { pages: done.size + failed.length, leads: 0, errors: failed.length };
          await store(job, signal, logger, storedPage(job, position, scraped, counts, urls.length));
        });
      });
    } finally {
      // Not awaited: a page that hangs takes seconds to end, and the pool waits for it when it stops.
      void scraping.close();
    }
    // What could be had is stored; the rest is for when the site is back.
    if (blocked.length > 0) throw siteIsDown(blocked);
    return verdict(urls.length, failed);
  };

  async function store(
    job: ClaimedJob,
    signal: AbortSignal,
    logger: Parameters<JobSteps['scrape']>[2],
    page: StoredPage,
  ): Promise<void> {
    const isOurs = await untilDatabaseAnswers([signal], logger, async () =>
      storePage(database, job, artifacts ? await putAside(artifacts, job, page) : page),
    );
    signal.throwIfAborted();
    if (!isOurs) throw new RunAborted('lost');
  }
}

/**
 * Bodies go to their store before the page tells of them. Doing so twice leaves one; what a worker put there before it died is
 * replaced by the next attempt, or goes with the job.
 */
function createPutAside(database: Database) {
  return async (store: ArtifactStore, job: ClaimedJob, page: StoredPage): Promise<StoredPage> => {
    if (page.artifacts.length === 0) return page;
    await openArtifactFolder(database, job.id);
    for (const { name, contentType, body } of page.artifacts) {
      const key = { jobId: job.id, position: page.position, name };
      try {
        if (body) await store.put(key, { contentType, body });
      } catch (cause) {
        throw new RetryableError('artifacts_unavailable', 'a screenshot or PDF could not be stored', {
          cause,
        });
      }
    }
    return { ...page, artifacts: page.artifacts.map((artifact) => ({ ...artifact, body: null })) };
  };
}

function storedPage(
  job: ClaimedJob,
  position: number,
  { page, artifacts }: ScrapedPage,
  counts: Counts,
  total: number,
): StoredPage {
  const named = nameArtifacts(artifacts);
  const pathOf = (name: string) => `/api/v1/jobs/${job.id}/artifacts/${position}/${name}`;
  const ofKind = (kind: Artifact['kind']) =>
    named.filter((artifact) => artifact.kind === kind).map(({ name }) => pathOf(name));
  const [screenshot] = ofKind('screenshot');
  const [pdf] = ofKind('pdf');
  const actionScreenshots = ofKind('action_screenshot');
  const withPaths: Page = {
    ...page,
    ...(screenshot ? { screenshot } : {}),
    ...(pdf ? { pdf } : {}),
    ...(actionScreenshots.length > 0 ? { action_screenshots: actionScreenshots } : {}),
  };
  const progress = { done: counts.pages, total, message: `${counts.pages} of ${total} pages` };
  return { position, page: withPaths, artifacts: named, progress, counts };
}

const NAMES: Record<Artifact['kind'], (number: number) => string> = {
  screenshot: () => 'screenshot.png',
  pdf: () => 'page.pdf',
  action_screenshot: (number) => `action-${number}.png`,
};

function nameArtifacts(artifacts: Artifact[]): StoredPage['artifacts'] {
  let actions = 0;
  return artifacts.map((artifact) => {
    if (artifact.kind === 'action_screenshot') actions += 1;
    return { ...artifact, name: NAMES[artifact.kind](actions) };
  });
}
