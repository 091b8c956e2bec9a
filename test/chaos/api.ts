import { ensureBootstrapKey } from '../../api/accounts/bootstrap-key.ts';
import { createApp } from '../../api/app.ts';
import { createClientAddress } from '../../api/http/client-address.ts';
import { type HttpServer, listen } from '../../api/http/server.ts';
import { createShortLinks } from '../../api/links/redirect/short-links.ts';
import { databaseUrlOf, openDatabase } from '../../db/open.ts';
import { createDispatch } from '../../dispatch/dispatch.ts';
import { openQueue } from '../../queue/open.ts';
import { runConfigured } from '../../runtime/process/process.ts';
import { listenForFailpoints, withPublishMoments } from './faults/failpoints.ts';

/**
 * api/main.ts with a queue that can kill the process between commit and publish. Half of the API
 * processes are the real program.
 */
runConfigured('api', async ({ config, logger, lifecycle }) => {
  const applicationName = 'leadengine api';
  const failpoints = listenForFailpoints();
  const url = await databaseUrlOf(config);
  const database = await openDatabase({
    ...{ url, poolSize: config.databasePoolSize, applicationName, logger },
    encryption: config.encryption,
  });
  await lifecycle.start({ name: 'database', stop: () => database.stop() });
  await ensureBootstrapKey(database, config);

  const queue = withPublishMoments(openQueue(config, url, logger, applicationName), failpoints);
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });

  const { retry, retentionDays, auditRetentionDays, notify } = config;
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

  const { dataDir, clickSpoolBytes, publicUrl, egressAllow, egressDeny } = config;
  const links = createShortLinks({
    ...{ database, queue, dataDir, clickSpoolBytes, publicUrl, logger },
    clientAddress: createClientAddress(config.trustedProxies),
  });
  await lifecycle.start({ name: 'links', start: links.start, stop: links.stop });

  const app = createApp({
    ...{ database, queue, dispatch, logger },
    ...{ links, publicUrl, egressAllow, egressDeny },
    ...{ trustedProxies: config.trustedProxies, corsOrigins: config.corsOrigins },
    rateLimit: config.rateLimit,
    accessLog: false,
    notify,
  });
  let server: HttpServer | undefined;
  await lifecycle.start({
    name: 'http',
    start: async () => {
      server = await listen(app.handler, config);
    },
    stop: async () => {
      app.stop();
      await server?.stop(config.shutdownGraceMs);
    },
  });
  process.send?.({ type: 'ready', url: server?.url });
});
