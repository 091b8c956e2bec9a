import { FatalError } from '../../core/errors.ts';
import { databaseUrlOf, openDatabase } from '../../db/open.ts';
import { renderVerdictStore } from '../../db/render-verdicts.ts';
import { openQueue } from '../../queue/open.ts';
import { Complaint } from '../../runtime/complaint.ts';
import { type ProcessContext, runConfigured } from '../../runtime/process.ts';
import { createBrowserPool } from '../../scraping/browser.ts';
import { findChromium } from '../../scraping/chromium.ts';
import { createEgressGuard } from '../../scraping/egress-guard.ts';
import { createHttpClient } from '../../scraping/http/client.ts';
import { createRenderMemory } from '../../scraping/render-memory.ts';
import { createProxyHealth } from '../../scraping/upstream-proxy.ts';
import { openArtifactStore } from '../../storage/open.ts';
import { createCircuits } from './circuits.ts';
import { createJobScraper } from './scrape-job.ts';
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
  const proxyHealth = createProxyHealth();
  const browser = createBrowserPool({
    ...{ executablePath, egress, logger, proxyHealth },
    proxies: config.proxyUrls,
    userAgent: config.browserUserAgent,
  });
  await lifecycle.start({
    name: 'browser',
    start: async () => {
      await browser.start().catch((error) => {
        throw error instanceof FatalError ? new Complaint(error.message, { cause: error }) : error;
      });
    },
    stop: () => browser.stop(),
  });

  const http = createHttpClient({
    ...{ guard: egress, userAgent: config.userAgent, logger, proxyHealth },
    proxies: config.proxyUrls,
  });
  await lifecycle.start({ name: 'http', stop: () => http.stop() });
  const renderMemory = createRenderMemory(renderVerdictStore(database), logger);

  const { pageTimeoutMs, maxPageBytes, leaseMs, jobTimeoutMs, shutdownGraceMs, retry } = config;
  const artifacts = openArtifactStore(config.artifactsUrl);
  const circuits = createCircuits((site, open) =>
    logger.warn(open ? 'circuit_opened' : 'circuit_closed', { site }),
  );
  const scraping = { browser, http, renderMemory, pageTimeoutMs, maxPageBytes };
  const scrape = createJobScraper({ database, artifacts, circuits, scraping });
  const slots = config.workerConcurrency;
  const worker = createWorker({
    ...{ database, queue, logger, scrape, slots },
    onFatal: (error) => lifecycle.breakDown(error),
    ...{ leaseMs, jobTimeoutMs, shutdownGraceMs, retry },
  });
  await lifecycle.start({ name: 'worker', start: () => worker.start(), stop: () => worker.stop() });
  logger.info('worker_started', { worker: worker.id, slots });
  process.send?.({ type: 'ready' });
});
