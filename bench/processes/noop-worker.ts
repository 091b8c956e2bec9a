import { databaseUrlOf, openDatabase } from '../../db/open.ts';
import { openQueue } from '../../queue/open.ts';
import { runConfigured } from '../../runtime/process/process.ts';
import { createWorker } from '../../workers/scraper/worker.ts';
import { createMeter, type Meter, now } from '../measure.ts';
import { begun, serve } from './serve.ts';

/** The scrape worker as in workers/scraper/main.ts, with no-op jobs; it consumes on command. */
runConfigured('worker', async ({ config, logger, lifecycle }) => {
  const applicationName = 'leadengine worker';
  const url = await databaseUrlOf(config);
  const database = await openDatabase({
    ...{ url, poolSize: config.databasePoolSize, applicationName, logger },
    encryption: config.encryption,
  });
  await lifecycle.start({ name: 'database', stop: () => database.stop() });
  const queue = openQueue(config, url, logger, applicationName);
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });

  let meter: Meter | undefined;
  let reports = false;
  const { leaseMs, jobTimeoutMs, shutdownGraceMs, retry } = config;
  const worker = createWorker({
    ...{ database, queue, logger, slots: config.workerConcurrency },
    onFatal: (error) => lifecycle.fail(error),
    ...{ leaseMs, jobTimeoutMs, shutdownGraceMs, retry },
    resolve: () => async (job) => {
      if (reports) begun(job.id, now());
      meter?.hit();
      return { kind: 'completed' };
    },
  });
  serve({
    drain: async ({ count }: { count: number }) => {
      meter = createMeter(count);
      await lifecycle.start({ name: 'worker', start: () => worker.start(), stop: () => worker.stop() });
      return meter.done;
    },
    listen: async () => {
      reports = true;
      await lifecycle.start({ name: 'worker', start: () => worker.start(), stop: () => worker.stop() });
    },
  });
  process.send?.({ type: 'ready' });
});
