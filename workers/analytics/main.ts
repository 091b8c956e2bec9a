import { databaseUrlOf, openDatabase } from '../../db/open.ts';
import { openQueue } from '../../queue/open.ts';
import { runConfigured } from '../../runtime/process/process.ts';
import { createAnalytics } from './analytics.ts';

/**
 * Counts clicks and job events. One process is enough; a second one takes over if the first ends.
 */
runConfigured('analytics', async ({ config, logger, lifecycle }) => {
  const applicationName = 'leadengine analytics';
  const url = await databaseUrlOf(config);
  const database = await openDatabase({ url, poolSize: config.databasePoolSize, applicationName, logger });
  await lifecycle.start({ name: 'database', stop: () => database.stop() });

  const queue = openQueue(config, url, logger, applicationName);
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });

  const { shutdownGraceMs } = config;
  const analytics = createAnalytics({ database, queue, shutdownGraceMs, logger });
  await lifecycle.start({ name: 'analytics', start: () => analytics.start(), stop: () => analytics.stop() });
  logger.info('analytics_started');
  process.send?.({ type: 'ready' });
});
