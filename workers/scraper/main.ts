import { databaseUrlOf, openDatabase } from '../../db/open.ts';
import { openQueue } from '../../queue/open.ts';
import { Complaint } from '../../runtime/complaint.ts';
import { type ProcessContext, runConfigured } from '../../runtime/process.ts';
import { createBrowserPool } from '../../scraping/browser.ts';
import { findChromium } from '../../scraping/chromium.ts';
import { createEgressGuard } from '../../scraping/egress-guard.ts';
import { createHttpClient } from '../../scraping/http/client.ts';
import { createCircuits } from './circuits.ts';
import { createCrawler } from './crawl-job.ts';
import { createFindSitemapUrls } from './crawl-sitemaps.ts';
import { createManners } from './manners.ts';
import { createJobScraper, createScrape } from './scrape-job.ts';
import { createVisitPage } from './visit.ts';
import { createWorker } from './worker.ts';

/** One scrape worker: one Chromium, `WORKER_CONCURRENCY` jobs at a time. Start more of them for more. */
runConfigured('worker', async ({ config, logger, lifecycle }: ProcessContext) => {
  const applicationName = 'leadengine worker';
  const executablePath = findChromium(config.chromiumPath);
  if (!executablePath) {
    throw new Complaint('no Chromium found: run `npm run setup`, or set CHROMIUM_PATH to the browser');
  }
  const url = await databaseUrlOf(config);
  const database = await openDatabase({ url, poolSize: config.databasePoolSize, applicationName, logger });
  await lifecycle.start({ name: 'database', stop: () => database.stop() });

  const queue = openQueue(config, url, logger, applicationName);
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });

  const egress = createEgressGuard({ allow: config.egressAllow, logger });
  const browser = createBrowserPool({ executablePath, egress, logger });
  await lifecycle.start({ name: 'browser', start: () => browser.start(), stop: () => browser.stop() });

  const { userAgent, respectRobots, hostConcurrency, hostGapMs } = config;
  const http = createHttpClient({ guard: egress, logger, userAgent });
  await lifecycle.start({ name: 'http', stop: () => http.stop() });
  const host = { concurrency: hostConcurrency, gapMs: hostGapMs };
  const manners = createManners({
    ...{ database, http, logger, userAgent, respectRobots, host },
    leaseMs: config.leaseMs,
  });
  await lifecycle.start({ name: 'manners', stop: () => manners.stop() });

  const { pageTimeoutMs, maxPageBytes, leaseMs, jobTimeoutMs, shutdownGraceMs, retry } = config;
  const circuits = createCircuits((site, open) =>
    logger.warn(open ? 'circuit_opened' : 'circuit_closed', { site }),
  );
  const visitPage = createVisitPage({ manners, circuits });
  const pages = { database, visitPage, scraping: { browser, pageTimeoutMs, maxPageBytes } };
  const findSitemapUrls = createFindSitemapUrls({ manners, http });
  const scrape = createScrape({
    list: createJobScraper(pages),
    // More at once than a host allows would only wait for each other.
    crawl: createCrawler({
      ...{ ...pages, findSitemapUrls, jobTimeoutMs },
      concurrency: Math.min(config.crawlConcurrency, hostConcurrency),
    }),
  });
  const slots = config.workerConcurrency;
  const worker = createWorker({
    ...{ database, queue, logger, scrape, slots },
    ...{ leaseMs, jobTimeoutMs, shutdownGraceMs, retry },
  });
  await lifecycle.start({ name: 'worker', start: () => worker.start(), stop: () => worker.stop() });
  logger.info('worker_started', { worker: worker.id, slots });
  process.send?.({ type: 'ready' });
});
