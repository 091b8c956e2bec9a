import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findChromium } from '../../scraping/browser/process/chromium.ts';
import type { Reaper } from '../support/processes/reaper.mjs';
import type { PrivateBroker } from '../support/servers/rabbitmq.mjs';
import { waitFor } from '../support/wait-for.ts';
import { type ChaosProxy, startChaosProxy, through } from './faults/proxy.ts';
import { installRecorder } from './load/recorder.ts';
import { type ScriptedSite, startScriptedSite } from './load/site.ts';
import type { ChaosPostgres } from './postgres.ts';
import { type Kept, keepProcess } from './processes.ts';

export type Driver = 'fleet' | 'embedded';

/**
 * A process of the installation with its own path to Postgres and to the broker, as if on a machine
 * of its own.
 */
export interface Member extends Kept {
  role: 'api' | 'worker' | 'browser_worker' | 'notifier';
  /** Whether it has the failpoints of failpoints.ts; the others are the product's own programs. */
  hasFailpoints: boolean;
  toPostgres: ChaosProxy;
  toBroker: ChaosProxy | undefined;
}

export interface Installation {
  driver: Driver;
  leaseMs: number;
  slots: number;
  postgres: ChaosPostgres;
  broker: PrivateBroker | undefined;
  /** URL of the database as superuser, without a proxy. */
  adminUrl: string;
  databaseUrl: string;
  apis: Member[];
  workers: Member[];
  notifiers: Member[];
  /** Processes whose clock is wrong, and by how much. */
  skewed: { name: string; shiftMs: number }[];
  site: ScriptedSite;
  apiKey: string;
  abortedFile: string;
  folder: string;
  stop(): Promise<void>;
}

export interface InstallationOptions {
  driver: Driver;
  folder: string;
  reaper: Reaper;
  postgres: ChaosPostgres;
  broker: PrivateBroker | undefined;
  brokerUrl: string;
  database: string;
  apis: number;
  workers: number;
  browserWorkers: number;
  /** Default none: then there are no notifications. */
  notifiers?: number;
  slots: number;
  leaseMs: number;
  /** More variables for every process. */
  env?: Record<string, string>;
  /** The folder of the compiled programs; another folder holds a mutated copy. */
  build?: string;
}

/** Shifts of two clocks from the database's, in opposite directions. */
const SKEW_MS = 30_000;
const API_KEY = 'chaos-key-0123456789abcdef';

export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const { driver, folder, postgres, broker, leaseMs, slots } = options;
  await mkdir(folder, { recursive: true });
  const databaseUrl = await postgres.createDatabase(options.database);
  const adminUrl = postgres.adminUrl(options.database);
  const abortedFile = join(folder, 'aborted.jsonl');
  const site = await startScriptedSite(() => members.find(({ role }) => role === 'browser_worker'));
  const members: Member[] = [];
  const skewed: Installation['skewed'] = [];

  const add = async (role: Member['role'], number: number, hasFailpoints: boolean, shiftMs = 0) => {
    const toPostgres = await startChaosProxy({ host: '127.0.0.1', port: postgres.port });
    const toBroker = broker && (await startChaosProxy({ host: '127.0.0.1', port: broker.port }));
    const name = `${role}-${number}`;
    const kept = keepProcess({
      name,
      entry: entryOf(role, hasFailpoints),
      build: options.build,
      env: {
        DATABASE_URL: through(toPostgres, databaseUrl),
        RABBITMQ_URL: toBroker ? through(toBroker, options.brokerUrl) : '',
        BOOTSTRAP_API_KEY: API_KEY,
        DATA_DIR: join(folder, 'data'),
        PORT: '0',
        EGRESS_ALLOW: '127.0.0.1',
        LOG_LEVEL: 'info',
        DATABASE_POOL_SIZE: '6',
        WORKER_CONCURRENCY: role === 'browser_worker' ? '1' : String(slots),
        LEASE_MS: String(leaseMs),
        RETRY_BASE_MS: '200',
        RETRY_CAP_MS: '2000',
        SHUTDOWN_GRACE_MS: '5000',
        RATE_LIMIT: '1000000',
        CHAOS_ABORTED_FILE: abortedFile,
        ...options.env,
      },
      clockShiftMs: shiftMs,
      logFolder: folder,
      reaper: options.reaper,
    });
    if (shiftMs !== 0) skewed.push({ name, shiftMs });
    // Not spread: `Kept` has getters.
    members.push(Object.assign(kept, { role, hasFailpoints, toPostgres, toBroker }));
  };

  // The first alone: it migrates, and the recorder must be installed before the first job.
  await add('api', 1, true, -SKEW_MS);
  await waitUntilReady(members);
  await installRecorder(adminUrl, leaseMs);
  // The second is the real program.
  for (let number = 2; number <= options.apis; number += 1) await add('api', number, false);
  for (let number = 1; number <= options.workers; number += 1) {
    await add('worker', number, true, number === 1 ? SKEW_MS : 0);
  }
  const browsers = findChromium(undefined) ? options.browserWorkers : 0;
  for (let number = 1; number <= browsers; number += 1) await add('browser_worker', number, false);
  for (let number = 1; number <= (options.notifiers ?? 0); number += 1) await add('notifier', number, false);
  await waitUntilReady(members);

  return {
    ...{ driver, leaseMs, slots, postgres, broker, adminUrl, databaseUrl, skewed, site, abortedFile, folder },
    apiKey: API_KEY,
    apis: members.filter(({ role }) => role === 'api'),
    workers: members.filter(({ role }) => role === 'worker' || role === 'browser_worker'),
    notifiers: members.filter(({ role }) => role === 'notifier'),
    stop: async () => {
      await Promise.all(members.map((member) => member.stop()));
      await Promise.all(
        members.flatMap(({ toPostgres, toBroker }) => [toPostgres.close(), toBroker?.close()]),
      );
      await site.close();
    },
  };
}

function entryOf(role: Member['role'], hasFailpoints: boolean): string {
  if (role === 'notifier') return 'workers/notifier/main.js';
  if (role === 'api') return hasFailpoints ? 'test/chaos/api.js' : 'api/main.js';
  return hasFailpoints ? 'test/chaos/worker.js' : 'workers/scraper/main.js';
}

export const waitUntilReady = (members: Member[]): Promise<boolean> =>
  waitFor(() => members.every(({ ready }) => ready), {
    timeoutMs: 60_000,
    what: `${members.map(({ name }) => name).join(', ')} to be ready`,
  });
