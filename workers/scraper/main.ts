import { FatalError } from '../../core/errors.ts';
import { databaseUrlOf, openDatabase } from '../../db/open.ts';
import { createBlockedRequestCounter } from '../../db/sites/blocked-request-counter.ts';
import { renderingTypeStore } from '../../db/sites/rendering-types.ts';
import { openQueue } from '../../queue/open.ts';
import { OperatorError } from '../../runtime/operator-error.ts';
import { type ProcessContext, runConfigured } from '../../runtime/process/process.ts';
import { openTempFolder } from '../../runtime/process/temp-folder.ts';
import { applyV8Flags } from '../../runtime/process/v8-flags.ts';
import { createBrowserPool } from '../../scraping/browser/pool.ts';
import { findChromium } from '../../scraping/browser/process/chromium.ts';
import { createEgressGuard } from '../../scraping/egress/guard.ts';
import { createProxyHealth } from '../../scraping/egress/upstream-proxy.ts';
import { createRenderingTypeCache } from '../../scraping/engine/rendering-type-cache.ts';
import { createHttpClient } from '../../scraping/http/client.ts';
import { directoryAuthorities, readDirectories } from '../../scraping/leads/sources/directories-file.ts';
import { createSourceFetch } from '../../scraping/leads/sources/fetch.ts';
import { createSourceReader } from '../../scraping/leads/sources/source-reader.ts';
import { openArtifactStore } from '../../storage/open.ts';
import { createAllowance } from './allowance.ts';
import { createUploadArtifacts } from './jobs/artifacts.ts';
import { createSiteVisitor } from './jobs/candidate-pages.ts';
import { createCrawlJob } from './jobs/crawl-job.ts';
import { createFindSitemapUrls } from './jobs/crawl-sitemaps.ts';
import { createPagesJob } from './jobs/pages-job.ts';
import { createJobRegistry, loadedOnUse } from './jobs/registry.ts';
import { createSiteCircuitBreakers } from './politeness/circuit-breakers.ts';
import { createPoliteFetch } from './politeness/polite-fetch.ts';
import { createPoliteness } from './politeness/politeness.ts';
import { createWorker } from './worker.ts';

applyV8Flags();

/** A scrape worker: one Chromium, `WORKER_CONCURRENCY` jobs at a time. */
runConfigured('worker', async ({ config, logger, lifecycle }: ProcessContext) => {
  const applicationName = 'leadengine worker';
  const executablePath = findChromium(config.chromiumPath);
  if (!executablePath) {
    throw new OperatorError('no Chromium found: run `npm run setup`, or set CHROMIUM_PATH to the browser');
  }
  const url = await databaseUrlOf(config);
  const database = await openDatabase({
    ...{ url, poolSize: config.databasePoolSize, applicationName, logger },
    encryption: config.encryption,
  });
  await lifecycle.start({ name: 'database', stop: () => database.stop() });

  const queue = openQueue(config, url, logger, applicationName);
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });

  const refusals = createBlockedRequestCounter(database, logger);
  await lifecycle.start({ name: 'refusals', start: refusals.start, stop: refusals.stop });
  const egress = createEgressGuard({
    ...{ allow: config.egressAllow, deny: config.egressDeny },
    ...{ logger, onBlocked: refusals.count },
  });
  const temp = await openTempFolder();
  await lifecycle.start({ name: 'temporary files', stop: () => temp.close() });
  const proxyHealth = createProxyHealth();
  const browser = createBrowserPool({
    ...{ executablePath, egress, logger, proxyHealth },
    proxies: config.proxyUrls,
    userAgent: config.browserUserAgent,
    memoryLimitBytes: config.browserMemoryBytes,
  });
  await lifecycle.start({
    name: 'browser',
    start: async () => {
      await browser.start().catch((error) => {
        throw error instanceof FatalError ? new OperatorError(error.message, { cause: error }) : error;
      });
    },
    stop: () => browser.stop(),
  });

  const http = createHttpClient({
    ...{ guard: egress, userAgent: config.userAgent, logger, proxyHealth },
    proxies: config.proxyUrls,
  });
  await lifecycle.start({ name: 'http', stop: () => http.stop() });
  const renderingTypes = createRenderingTypeCache(renderingTypeStore(database), logger);

  const { userAgent, respectRobots, hostConcurrency, hostGapMs } = config;
  const host = { concurrency: hostConcurrency, gapMs: hostGapMs };
  const politeness = createPoliteness({
    ...{ database, http, logger, userAgent, respectRobots, host },
    leaseMs: config.leaseMs,
  });
  await lifecycle.start({ name: 'politeness', stop: () => politeness.stop() });

  const { pageTimeoutMs, maxPageBytes, fileLimits, leaseMs, jobTimeoutMs, shutdownGraceMs, retry } = config;
  const circuits = createSiteCircuitBreakers((site, open) =>
    logger.warn(open ? 'circuit_opened' : 'circuit_closed', { site }),
  );
  const politeFetch = createPoliteFetch({ politeness, circuits });
  const scraping = { browser, http, renderingTypes, pageTimeoutMs, maxPageBytes, fileLimits };
  const uploadArtifacts = createUploadArtifacts(database, openArtifactStore(config.artifactsUrl));
  const allowance = createAllowance(database);
  const pages = { database, uploadArtifacts, scraping, politeFetch, allowance };
  const findSitemapUrls = createFindSitemapUrls({ politeness, http });

  const directories = readDirectories(config.directoriesFile);
  // A source that the operator configured may be in a private network; jobs still cannot reach it.
  const sourceHttp = createHttpClient({
    guard: createEgressGuard({
      ...{ allow: config.egressAllow, deny: config.egressDeny },
      trusted: [...config.sourceEndpoints, ...directoryAuthorities(directories)],
      ...{ logger, onBlocked: refusals.count },
    }),
    ...{ logger, userAgent, proxyHealth },
  });
  await lifecycle.start({ name: 'sources', stop: () => sourceHttp.stop() });
  const reader = createSourceReader();
  await lifecycle.start({ name: 'source reader', stop: () => reader.stop() });
  const sourceOptions = { ...config.sources, directories };
  const fetch = createSourceFetch(
    sourceHttp,
    [
      config.sources.searxngUrl ?? [],
      directories.map(({ search_url }) => search_url.replace(/[{}]/g, '')),
    ].flat(),
  );
  const visitor = createSiteVisitor({ scraping, politeFetch, allowance });
  const leads = loadedOnUse(async () => {
    const { createSources } = await import('../../scraping/leads/sources/sources.ts');
    const { createLeadsJob } = await import('./jobs/leads-job.ts');
    const sources = createSources(sourceOptions);
    return createLeadsJob({ database, sourceOptions, sources, fetch, reader, visitor });
  });
  const crawl = createCrawlJob({ ...pages, findSitemapUrls, jobTimeoutMs, hostConcurrency });
  const resolve = createJobRegistry({ pages: createPagesJob(pages), crawl, leads }, allowance);
  const slots = config.workerConcurrency;
  const worker = createWorker({
    ...{ database, queue, logger, resolve, slots },
    sandbox: () => (browser.sandbox?.isOn ? 'on' : (browser.sandbox?.reason ?? null)),
    onFatal: (error) => lifecycle.fail(error),
    ...{ leaseMs, jobTimeoutMs, shutdownGraceMs, retry },
  });
  await lifecycle.start({ name: 'worker', start: () => worker.start(), stop: () => worker.stop() });
  logger.info('worker_started', { worker: worker.id, slots });
  process.send?.({ type: 'ready' });
});
