import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded-postgres.ts';
import type { Logger } from '../runtime/log/logger.ts';
import type { Lifecycle } from '../runtime/process/lifecycle.ts';
import { runConfigured } from '../runtime/process/process.ts';
import type { Config } from '../runtime/settings/config.ts';
import { banner } from './banner.ts';
import { choosePort } from './port.ts';
import { SupervisedProcess } from './supervised-process.ts';

/** What `npm start` runs after the set-up: Postgres where none is given, the API, notifier, analytics, and the workers. */
async function supervise(lifecycle: Lifecycle, config: Config, logger: Logger): Promise<void> {
  const { port, takenPort } = await choosePort(config, isSet('PORT'));
  const databaseUrl = config.databaseUrl ?? (await startPostgres(lifecycle, config, logger));
  const env = {
    ...process.env,
    PORT: String(port),
    DATA_DIR: config.dataDir,
    DATABASE_URL: databaseUrl,
    // Decided here: to the processes below, the embedded Postgres is a server like any other.
    ...(config.artifactsUrl ? { ARTIFACTS_URL: config.artifactsUrl } : {}),
    LOG_FORMAT: config.logFormat,
  };
  // They have the grace period for the job in hand, and then what it takes to close browsers and connections.
  const stopMs = config.shutdownGraceMs + 10_000;
  const keep = (name: string, entry: string) =>
    new SupervisedProcess({ name, entry: join(import.meta.dirname, '..', entry), env, stopMs, logger });
  const api = keep('api', 'api/main.js');
  const workers = Array.from({ length: config.workers }, (_, index) =>
    keep(`worker-${index + 1}`, 'workers/scraper/main.js'),
  );
  const notifier = keep('notifier', 'workers/notifier/main.js');
  const analytics = keep('analytics', 'workers/analytics/main.js');
  const all = [api, notifier, analytics, ...workers];
  process.on('exit', () => {
    for (const child of all) child.killAtOnce();
  });

  await lifecycle.start({
    name: 'processes',
    start: async () => {
      // The API first: it brings the database's schema up to date. If it cannot start, nothing can.
      const ready = await api.start();
      await Promise.all([notifier, analytics, ...workers].map((child) => child.keep()));
      if (!ready) return;
      if (takenPort) console.log(`\n  Port ${takenPort} is taken by another program; PORT chooses one.`);
      console.log(banner({ ...ready, workers: workers.length }));
      process.send?.(ready);
    },
    stop: async () => {
      await Promise.all(all.map((child) => child.stop()));
    },
    waitsFor: () => all.filter((child) => child.isRunning).map(({ name }) => name),
  });
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
        // Room for every process we start, and for some that others start beside us.
        settings: {
          max_connections: String(Math.max(200, (config.workers + 5) * config.databasePoolSize + 50)),
        },
        // Without its database nothing here can go on.
        onLost: (error) => lifecycle.fail(error),
      });
      const postgres = await starting;
      url = postgres.url;
      process.on('exit', () => postgres.letGo());
    },
    // It may be asked to stop while it is still starting; one that failed to start has nothing to stop.
    stop: async () => (await starting?.catch(() => undefined))?.stop(),
  });
  return url;
}

/** `.env` has been read into the environment by then. */
const isSet = (name: string): boolean => Boolean(process.env[name]?.trim());

if (!isSet('LOG_FORMAT') && process.stdout.isTTY) process.env.LOG_FORMAT = 'pretty';
/** Children that do not stop are killed, and then Postgres has its own limits. */
const CLOSING_MS = 75_000;

runConfigured('supervisor', ({ config, logger, lifecycle }) => supervise(lifecycle, config, logger), {
  closingMs: CLOSING_MS,
});
