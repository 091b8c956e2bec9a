import { databaseUrlOf, openDatabase } from '../../db/open.ts';
import { openQueue } from '../../queue/open.ts';
import { Complaint } from '../../runtime/complaint.ts';
import { type ProcessContext, runConfigured } from '../../runtime/process.ts';
import { createBrowserPool } from '../../scraping/browser.ts';
import { findChromium } from '../../scraping/chromium.ts';
import { createEgressGuard } from '../../scraping/egress-guard.ts';
import { createHttpClient } from '../../scraping/http/client.ts';
import { wantsLeads } from '../../scraping/leads/query.ts';
import { authoritiesOf, readDirectories } from '../../scraping/sources/directories-file.ts';
import { createSourceFetch } from '../../scraping/sources/fetch.ts';
import { createSources } from '../../scraping/sources/sources.ts';
import { createCircuits } from './circuits.ts';
import { createLeadFinder } from './leads-job.ts';
import { createSiteVisitor } from './leads-visit.ts';
import { createManners } from './manners.ts';
import type { JobSteps } from './run-job.ts';
import { createJobScraper } from './scrape-job.ts';
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
  const scraping = { browser, pageTimeoutMs, maxPageBytes };
  const scrapePages = createJobScraper({ database, visitPage, scraping });

  const directories = readDirectories(config.sources.directoriesFile);
  const sourceHttp = createHttpClient({
    guard: createEgressGuard({
      allow: [...config.egressAllow, ...config.sources.endpoints, ...authoritiesOf(directories)],
      logger,
    }),
    ...{ logger, userAgent },
  });
  await lifecycle.start({ name: 'sources', stop: () => sourceHttp.stop() });
  const sourceOptions = { ...config.sources, directories };
  const findLeads = createLeadFinder({
    ...{ database, sourceOptions, sources: createSources(sourceOptions) },
    fetch: createSourceFetch(sourceHttp),
    visitor: createSiteVisitor({ scraping, visitPage }),
  });
  const scrape: JobSteps['scrape'] = (job, ...rest) =>
    wantsLeads(job.spec) ? findLeads(job, ...rest) : scrapePages(job, ...rest);
  const slots = config.workerConcurrency;
  const worker = createWorker({
    ...{ database, queue, logger, scrape, slots },
    ...{ leaseMs, jobTimeoutMs, shutdownGraceMs, retry },
  });
  await lifecycle.start({ name: 'worker', start: () => worker.start(), stop: () => worker.stop() });
  logger.info('worker_started', { worker: worker.id, slots });
  process.send?.({ type: 'ready' });
});
