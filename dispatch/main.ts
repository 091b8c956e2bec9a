import { databaseUrlOf, openDatabase } from '../db/open.ts';
import { openQueue } from '../queue/open.ts';
import { runConfigured } from '../runtime/process/process.ts';
import { openArtifactStore } from '../storage/open.ts';
import { createDispatch } from './dispatch.ts';

/**
 * The dispatch loops in a process of their own, for API processes that run with `DISPATCH=apart`.
 */
runConfigured('dispatch', async ({ config, logger, lifecycle }) => {
  const applicationName = 'leadengine dispatch';
  const url = await databaseUrlOf(config);
  const database = await openDatabase({
    ...{ url, poolSize: config.databasePoolSize, applicationName, logger },
    encryption: config.encryption,
  });
  await lifecycle.start({ name: 'database', stop: () => database.stop() });

  const queue = openQueue(config, url, logger, applicationName);
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });

  const { retry, retentionDays, auditRetentionDays } = config;
  const { mailPace } = config.notify;
  const dispatch = createDispatch({
    ...{ database, queue, logger, retry, retentionDays, auditRetentionDays, mailPace },
    artifacts: openArtifactStore(config.artifactsUrl),
    runsLoops: true,
  });
  await lifecycle.start({ name: 'dispatch', start: dispatch.start, stop: dispatch.stop });
  process.send?.({ type: 'ready' });
});
