import { databaseUrlOf, openDatabase } from '../db/open.ts';
import { reseal } from '../db/secrets/reseal.ts';
import { declareRoleLimits } from '../db/usage/limits.ts';
import { createDispatch } from '../dispatch/dispatch.ts';
import { openQueue } from '../queue/open.ts';
import { OperatorError } from '../runtime/operator-error.ts';
import { makeFolder } from '../runtime/process/make-folder.ts';
import { type ProcessContext, runConfigured } from '../runtime/process/process.ts';
import { openArtifactStore } from '../storage/open.ts';
import { type BootstrapKey, ensureBootstrapKey } from './accounts/bootstrap-key.ts';
import { createApp } from './app.ts';
import { createClientAddress } from './http/client-address.ts';
import { type HttpServer, listen } from './http/server.ts';
import { createShortLinks } from './links/redirect/short-links.ts';

/**
 * The HTTP API, with the dispatcher of the jobs it accepts and, unless `DISPATCH=apart`, the
 * scheduler.
 */
runConfigured('api', async (context) => {
  try {
    await startApi(context);
  } catch (error) {
    throw operatorErrorFor(error, context) ?? error;
  }
});

/** A client waits: an early 503 is better than a result after it has given up. */
const STATEMENT_TIMEOUT_MS = 10_000;

async function startApi({ config, logger, output, lifecycle }: ProcessContext): Promise<void> {
  const applicationName = 'leadengine api';
  const databaseUrl = await databaseUrlOf(config);
  const database = await openDatabase({
    url: databaseUrl,
    poolSize: config.databasePoolSize,
    applicationName,
    logger,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    encryption: config.encryption,
  });
  await lifecycle.start({ name: 'database', stop: () => database.stop() });
  const { resealed, unreadable } = await reseal(database);
  if (resealed > 0) logger.info('secrets_reencrypted', { count: resealed });
  if (unreadable > 0) logger.error('secrets_unreadable', { count: unreadable });
  // Also for the clicks, whether or not the key is kept there.
  await makeFolder(config.dataDir, 0o700);
  const bootstrap = await ensureBootstrapKey(database, config);
  await declareRoleLimits(database, config.limitsByRole);

  const queue = openQueue(config, databaseUrl, logger, applicationName);
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });

  const { retry, retentionDays, auditRetentionDays, dispatchInApi: runsLoops } = config;
  const { mailPace } = config.notify;
  const artifacts = openArtifactStore(config.artifactsUrl);
  const dispatch = createDispatch({
    ...{ database, queue, logger, retry, retentionDays, auditRetentionDays, artifacts, mailPace, runsLoops },
  });
  await lifecycle.start({ name: 'dispatch', start: dispatch.start, stop: dispatch.stop });

  const { dataDir, clickSpoolBytes, publicUrl, egressAllow, egressDeny, trustedProxies, corsOrigins } =
    config;
  const clientAddress = createClientAddress(trustedProxies);
  const links = createShortLinks({
    ...{ database, queue, dataDir, clickSpoolBytes, publicUrl, clientAddress, logger },
  });
  await lifecycle.start({ name: 'links', start: () => links.start(), stop: () => links.stop() });

  const app = createApp({
    database,
    artifacts,
    queue,
    dispatch,
    logger,
    logLinesDropped: () => output.dropped,
    ...{ links, publicUrl, egressAllow, egressDeny, trustedProxies, corsOrigins },
    rateLimit: config.rateLimit,
    streams: config.streams,
    accessLog: config.logLevel === 'debug',
    notify: config.notify,
  });
  let server: HttpServer | undefined;
  await lifecycle.start({
    name: 'http',
    start: async () => {
      server = await listen(app.handler, config, app.upgrade);
    },
    stop: async () => {
      const streamsEnded = app.stop();
      await server?.stop(config.shutdownGraceMs);
      await streamsEnded;
    },
  });
  const url = server?.url ?? '';
  logger.info('api_listening', { url });
  announce(url, bootstrap);
}

/** Reports to the parent process; without one, a new key is printed to the terminal, once. */
function announce(url: string, { file, created, isValid }: BootstrapKey): void {
  const ready = {
    type: 'ready',
    url,
    ...(file ? { apiKeyFile: file } : {}),
    ...(created ? { apiKey: created } : {}),
    ...(isValid ? {} : { apiKeyRevoked: true }),
  };
  if (process.send) process.send(ready);
  else if (created) process.stdout.write(`API key, shown once and kept in ${file}: ${created}\n`);
}

/** The errors an operator can fix. */
function operatorErrorFor(error: unknown, { config }: ProcessContext): OperatorError | null {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new OperatorError(
      `port ${config.port} on ${config.host} is in use: stop what uses it, or set PORT`,
    );
  }
  if (syscall === 'listen' || syscall === 'getaddrinfo') {
    return new OperatorError(
      `cannot listen on ${config.host} port ${config.port}: ${message}; set HOST or PORT`,
    );
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new OperatorError(
      `the disk of ${config.dataDir} is full: make room, or set DATA_DIR to a folder on another disk`,
    );
  }
  if (syscall === 'mkdir' || syscall === 'open') {
    const [what, cure] = config.bootstrapApiKey
      ? ['clicks', 'DATA_DIR']
      : ['the API key', 'DATA_DIR or BOOTSTRAP_API_KEY'];
    return new OperatorError(`cannot keep ${what} in ${config.dataDir}: ${message}; set ${cure}`);
  }
  return null;
}
