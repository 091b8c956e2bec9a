import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { API_KEY, ENCRYPTION_KEY } from './job.ts';
import type { BenchOptions } from './options.ts';
import type { Report } from './report.ts';
import { ROOT, type Services } from './services.ts';

/** The context of every part of the bench. */
export interface Bench {
  services: Services;
  options: BenchOptions;
  report: Report;
}

export const DRIVERS = ['rabbitmq', 'embedded'] as const;
export type Driver = (typeof DRIVERS)[number];

/**
 * Starts one of the compiled programs, the product's or the bench's own, as `npm start` would:
 * configured by environment.
 */
export function startOurs(
  { services }: Bench,
  options: {
    /** For example `api/main.js`. */
    program: string;
    driver: Driver;
    databaseUrl: string;
    env?: Record<string, string>;
    execArgv?: string[];
  },
): Promise<Child> {
  const { program, driver, databaseUrl } = options;
  return startChild({
    program: join(import.meta.dirname, '..', program),
    name: program.replaceAll('/', '-').replace('.js', ''),
    dir: join(services.dir, 'logs'),
    env: {
      DATABASE_URL: databaseUrl,
      ...(driver === 'rabbitmq' ? { RABBITMQ_URL: services.rabbitmqUrl } : {}),
      DATA_DIR: join(services.dir, 'data'),
      BOOTSTRAP_API_KEY: API_KEY,
      ENCRYPTION_KEY,
      PORT: '0',
      // One user represents all: the limit per user is not measured here.
      RATE_LIMIT: '1000000',
      // The peers do not log a line per job; the cost of our log is a figure of its own.
      LOG_LEVEL: 'warn',
      ...options.env,
    },
    execArgv: options.execArgv ?? process.env.BENCH_EXEC_ARGV?.split(' ').filter(Boolean),
  });
}

const OWN = 'bench/processes';

export const startApi = (bench: Bench, driver: Driver, databaseUrl: string, env?: Record<string, string>) =>
  startOurs(bench, { program: 'api/main.js', driver, databaseUrl, env });

export const startDispatchingApi = (bench: Bench, driver: Driver, databaseUrl: string) =>
  startOurs(bench, { program: `${OWN}/dispatching-api.js`, driver, databaseUrl });

export const startNoopWorker = (
  bench: Bench,
  driver: Driver,
  databaseUrl: string,
  slots: number,
  env?: Record<string, string>,
) =>
  startOurs(bench, {
    program: `${OWN}/noop-worker.js`,
    driver,
    databaseUrl,
    env: { WORKER_CONCURRENCY: String(slots), ...env },
  });

export const startCeilingHttp = (bench: Bench, databaseUrl: string) =>
  startOurs(bench, { program: `${OWN}/ceiling-http.js`, driver: 'rabbitmq', databaseUrl });

export const startCeilings = (bench: Bench, databaseUrl: string) =>
  startOurs(bench, { program: `${OWN}/ceilings.js`, driver: 'rabbitmq', databaseUrl });

export const startNotifier = (
  bench: Bench,
  driver: Driver,
  databaseUrl: string,
  env: Record<string, string>,
) => startOurs(bench, { program: 'workers/notifier/main.js', driver, databaseUrl, env });

export const startReceivers = (bench: Bench) =>
  startOurs(bench, { program: `${OWN}/receivers.js`, driver: 'rabbitmq', databaseUrl: '' });

export const startLoad = (bench: Bench) =>
  startOurs(bench, { program: `${OWN}/load.js`, driver: 'rabbitmq', databaseUrl: '' });

/** A peer's process; it has a package of its own beside its source. */
export const startPeer = (
  { services }: Bench,
  peer: string,
  env: Record<string, string> = {},
): Promise<Child> =>
  startChild({
    program: join(ROOT, 'bench', 'peers', `${peer}.mjs`),
    name: `peer-${peer}`,
    dir: join(services.dir, 'logs'),
    env,
  });

/** Runs `work` with these processes and stops them, last first, even if it fails. */
export async function withChildren<T>(
  work: (keep: (child: Promise<Child>) => Promise<Child>) => Promise<T>,
): Promise<T> {
  const children: Child[] = [];
  try {
    return await work(async (starting) => {
      const child = await starting;
      children.push(child);
      return child;
    });
  } finally {
    for (const child of children.reverse()) await child.stop();
  }
}
