import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded-postgres.ts';
import type { Logger } from '../runtime/log/logger.ts';
import type { Lifecycle } from '../runtime/process/lifecycle.ts';
import { runConfigured } from '../runtime/process/process.ts';
import { keyFileOf, readKeyFile } from '../runtime/secrets/key-file.ts';
import type { Config } from '../runtime/settings/config.ts';
import { publishAddress } from './address-file.ts';
import { banner } from './banner.ts';
import { choosePort } from './port.ts';
import { SupervisedProcess } from './supervised-process.ts';
import { chooseWorkerUser, type WorkerUser } from './worker-user.ts';

/**
 * Run by `npm start` after the set-up: Postgres unless one is given, API, notifier, analytics and
 * workers.
 */
async function supervise(lifecycle: Lifecycle, config: Config, logger: Logger): Promise<void> {
  const { port, takenPort } = await choosePort(config, isSet('PORT'));
  const root = join(import.meta.dirname, '..');
  const databaseUrl = config.databaseUrl ?? (await startPostgres(lifecycle, config, logger));
  // Not before: it hands folders of DATA_DIR over, which another LeadEngine might be using.
  const workerUser = await workerUserOf(config, root, logger);
  const env = {
    ...process.env,
    PORT: String(port),
    DATA_DIR: config.dataDir,
    DATABASE_URL: databaseUrl,
    // Decided here: the child processes do not know whether their Postgres is the embedded one.
    ...(config.artifactsUrl ? { ARTIFACTS_URL: config.artifactsUrl } : {}),
    LOG_FORMAT: config.logFormat,
  };
  // The grace period is for running jobs; then they close browsers and connections.
  const stopMs = config.shutdownGraceMs + 10_000;
  const supervised = (name: string, entry: string, user?: WorkerUser) =>
    new SupervisedProcess({
      ...{ name, entry: join(root, entry), stopMs, logger, user },
      env: user ? { ...env, ...user.env } : env,
    });
  const api = supervised('api', 'api/main.js');
  const workers = Array.from({ length: config.workers }, (_, index) =>
    supervised(`worker-${index + 1}`, 'workers/scraper/main.js', workerUser),
  );
  const notifier = supervised('notifier', 'workers/notifier/main.js');
  const analytics = supervised('analytics', 'workers/analytics/main.js');
  const all = [api, notifier, analytics, ...workers];
  process.on('exit', () => {
    for (const child of all) child.killAtOnce();
  });

  let withdrawAddress = async () => {};
  await lifecycle.start({
    name: 'processes',
    start: async () => {
      // The API first: it migrates the database. If it cannot start, nothing can.
      const ready = await api.start();
      await shareEncryptionKey(all, config);
      await Promise.all([notifier, analytics, ...workers].map((child) => child.supervise()));
      if (!ready) return;
      if (takenPort) console.log(`\n  Port ${takenPort} is taken by another program; PORT chooses one.`);
      if (ready.url) withdrawAddress = await publishAddress(config.dataDir, ready.url);
      console.log(banner({ ...ready, workers: workers.length }));
      process.send?.(ready);
    },
    stop: async () => {
      await withdrawAddress();
      await Promise.all(all.map((child) => child.stop()));
    },
    waitsFor: () => all.filter((child) => child.isRunning).map(({ name }) => name),
  });
}

/** Undefined: workers run as this process does. */
async function workerUserOf(config: Config, root: string, logger: Logger): Promise<WorkerUser | undefined> {
  const choice = await chooseWorkerUser(config, root, process.env);
  if (choice.kind === 'root') {
    logger.warn('workers_run_as_root', {
      reason: choice.reason,
      consequence: "no sandbox for the browser's pages",
    });
  }
  if (choice.kind !== 'other') return undefined;
  logger.info('workers_run_as_user', { uid: choice.user.uid });
  return choice.user;
}

/** The API made the key or found it; the others may run as a user who cannot read its file. */
async function shareEncryptionKey(all: SupervisedProcess[], { encryption }: Config): Promise<void> {
  if (encryption.keys.length > 0) return;
  const keys = await readKeyFile(keyFileOf(encryption.dataDir));
  if (!keys) return;
  const ENCRYPTION_KEY = keys.map((key) => key.toString('hex')).join(',');
  for (const child of all) child.addEnvironment({ ENCRYPTION_KEY });
}

async function startPostgres(lifecycle: Lifecycle, config: Config, logger: Logger): Promise<string> {
  let starting: Promise<EmbeddedPostgres> | undefined;
  let url = '';
  await lifecycle.start({
    name: 'postgres',
    start: async () => {
      starting = startEmbeddedPostgres({
        dataDir: config.dataDir,
        logger,
        // For every process started here, and for some that the operator starts besides.
        settings: {
          max_connections: String(Math.max(200, (config.workers + 5) * config.databasePoolSize + 50)),
        },
        // No process can run without the database.
        onLost: (error) => lifecycle.fail(error),
      });
      const postgres = await starting;
      url = postgres.url;
      process.on('exit', () => postgres.letGo());
    },
    // `stop` may be called while Postgres starts; if it failed to start there is nothing to stop.
    stop: async () => (await starting?.catch(() => undefined))?.stop(),
  });
  return url;
}

/** Called after `.env` has been read into the environment. */
const isSet = (name: string): boolean => Boolean(process.env[name]?.trim());

if (!isSet('LOG_FORMAT') && process.stdout.isTTY) process.env.LOG_FORMAT = 'pretty';
/** Children that do not stop are killed; Postgres has a time limit of its own. */
const CLOSING_MS = 75_000;

runConfigured('supervisor', ({ config, logger, lifecycle }) => supervise(lifecycle, config, logger), {
  closingMs: CLOSING_MS,
});
