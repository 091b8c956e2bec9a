import { createApp } from '../../api/app.ts';
import { createClientAddress } from '../../api/http/client-address.ts';
import { listen } from '../../api/http/server.ts';
import { createShortLinks } from '../../api/links/redirect/short-links.ts';
import { databaseUrlOf, openDatabase } from '../../db/open.ts';
import { createDispatch } from '../../dispatch/dispatch.ts';
import { createImmediateDispatcher } from '../../dispatch/immediate-dispatcher.ts';
import { openQueue } from '../../queue/open.ts';
import { runConfigured } from '../../runtime/process/process.ts';

/**
 * The API as in api/main.ts with an unlimited dispatch window: every accepted job is dispatched,
 * published and marked, although there is no worker.
 */
runConfigured('api', async ({ config, logger, lifecycle }) => {
  const applicationName = 'leadengine api';
  const url = await databaseUrlOf(config);
  const database = await openDatabase({
    ...{ url, poolSize: config.databasePoolSize, applicationName, logger },
    encryption: config.encryption,
  });
  await lifecycle.start({ name: 'database', stop: () => database.stop() });
  const queue = openQueue(config, url, logger, applicationName);
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });

  const { retry, retentionDays, auditRetentionDays, rateLimit, notify } = config;
  const dispatch = createDispatch({
    database,
    queue,
    logger,
    retry,
    retentionDays,
    auditRetentionDays,
    mailPace: notify.mailPace,
    runsLoops: true,
  });
  await lifecycle.start({ name: 'dispatch', start: dispatch.start, stop: dispatch.stop });
  const fresh = createImmediateDispatcher({
    database,
    queue,
    logger,
    sizeOf: () => Number.POSITIVE_INFINITY,
  });
  await lifecycle.start({ name: 'fresh', stop: fresh.stop });

  const { dataDir, clickSpoolBytes, publicUrl, egressAllow, egressDeny } = config;
  const links = createShortLinks({
    ...{ database, queue, dataDir, clickSpoolBytes, publicUrl, logger },
    clientAddress: createClientAddress(config.trustedProxies),
  });
  await lifecycle.start({ name: 'links', start: links.start, stop: links.stop });
  const app = createApp({
    ...{ database, queue, dispatch: fresh, logger, rateLimit, accessLog: false, notify },
    ...{ links, publicUrl, egressAllow, egressDeny },
    ...{ trustedProxies: config.trustedProxies, corsOrigins: config.corsOrigins },
  });
  const server = await listen(app.handler, config);
  await lifecycle.start({
    name: 'http',
    stop: async () => {
      app.stop();
      await server.stop(1000);
    },
  });
  process.send?.({ type: 'ready', url: server.url });
});
