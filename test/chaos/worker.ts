import { appendFileSync } from 'node:fs';
import { databaseUrlOf, openDatabase } from '../../db/open.ts';
import { openQueue } from '../../queue/open.ts';
import { runConfigured } from '../../runtime/process/process.ts';
import { createWorker } from '../../workers/scraper/worker.ts';
import { listenForFailpoints, withMoments } from './faults/failpoints.ts';
import { createScriptedScraper } from './load/scrape-script.ts';

/**
 * workers/scraper/main.ts without a browser: the real claim, heartbeat, fence, settle and
 * acknowledge around a scripted scrape.
 */
runConfigured('worker', async ({ config, logger, lifecycle }) => {
  const applicationName = 'leadengine worker';
  const failpoints = listenForFailpoints();
  const url = await databaseUrlOf(config);
  const opened = await openDatabase({
    ...{ url, poolSize: config.databasePoolSize, applicationName, logger },
    encryption: config.encryption,
  });
  await lifecycle.start({ name: 'database', stop: () => opened.stop() });
  const database = withMoments(opened, failpoints);

  const queue = openQueue(config, url, logger, applicationName);
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });

  const { leaseMs, jobTimeoutMs, shutdownGraceMs, retry } = config;
  const scrape = createScriptedScraper({ database, failpoints, onAborted });
  const worker = createWorker({
    ...{ database, queue, logger, resolve: () => scrape, slots: config.workerConcurrency },
    onFatal: (error) => lifecycle.fail(error),
    ...{ leaseMs, jobTimeoutMs, shutdownGraceMs, retry },
  });
  await lifecycle.start({ name: 'worker', start: () => worker.start(), stop: () => worker.stop() });
  process.send?.({ type: 'ready' });
});

/**
 * For the auditor: when a run learned that it lost its lease. Written synchronously, since this
 * process may die any moment.
 */
function onAborted(jobId: string): void {
  const file = process.env.CHAOS_ABORTED_FILE;
  // Not `Date`: the clock of this process may be shifted.
  const at = performance.timeOrigin + performance.now();
  if (file) appendFileSync(file, `${JSON.stringify({ id: jobId, at: Math.round(at) })}\n`);
}
