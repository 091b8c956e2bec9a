import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from '../database.ts';
import { createVhost } from '../servers/broker.ts';
import { waitFor } from '../wait-for.ts';
import { type RunningProcess, startProcess } from './processes.ts';

export type Driver = 'rabbitmq' | 'embedded';
export const DRIVERS: Driver[] = ['rabbitmq', 'embedded'];

const API_KEY = 'test-key-0123456789abcdef';

/**
 * An installation as an operator runs it: an API process and workers, each a process, on a database
 * and broker of their own.
 */
export interface Fleet {
  api: RunningProcess;
  workers: RunningProcess[];
  client: Client;
  env: Record<string, string>;
  startWorker(env?: Record<string, string>): Promise<RunningProcess>;
  startNotifier(env?: Record<string, string>): Promise<RunningProcess>;
  startAnalytics(env?: Record<string, string>): Promise<RunningProcess>;
  /** Ends every process and removes database and files. */
  stop(): Promise<void>;
}

export async function startFleet(options: {
  driver: Driver;
  workers: number;
  env?: Record<string, string>;
  /** Instead of a database and broker of the fleet's own. */
  databaseUrl?: string;
  rabbitmqUrl?: string;
}): Promise<Fleet> {
  const dataDir = await mkdtemp(join(tmpdir(), 'leadengine-fleet-'));
  const database = options.databaseUrl ? undefined : await createTestDatabase();
  const broker = options.driver === 'embedded' ? '' : (options.rabbitmqUrl ?? (await createVhost()).url);
  const env = {
    DATABASE_URL: options.databaseUrl ?? database?.url ?? '',
    RABBITMQ_URL: broker,
    BOOTSTRAP_API_KEY: API_KEY,
    DATA_DIR: dataDir,
    PORT: '0',
    EGRESS_ALLOW: '127.0.0.1',
    LOG_LEVEL: 'debug',
    ...options.env,
  };
  const api = await startProcess('api/main.js', env);
  const workers: RunningProcess[] = [];
  const startWorker = async (more: Record<string, string> = {}) => {
    const worker = await startProcess('workers/scraper/main.js', { ...env, ...more });
    workers.push(worker);
    return worker;
  };
  const notifiers: RunningProcess[] = [];
  const startNotifier = async (more: Record<string, string> = {}) => {
    const notifier = await startProcess('workers/notifier/main.js', { ...env, ...more });
    notifiers.push(notifier);
    return notifier;
  };
  const analytics: RunningProcess[] = [];
  const startAnalytics = async (more: Record<string, string> = {}) => {
    const started = await startProcess('workers/analytics/main.js', { ...env, ...more });
    analytics.push(started);
    return started;
  };
  await Promise.all(Array.from({ length: options.workers }, () => startWorker()));
  return {
    api,
    workers,
    env,
    client: createClient(api.ready.url ?? ''),
    startWorker,
    startNotifier,
    startAnalytics,
    stop: async () => {
      await Promise.all([...workers, ...notifiers, ...analytics, api].map((running) => running.kill()));
      await database?.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export interface JobView {
  job_id: string;
  status: string;
  attempt: number;
  max_attempts: number;
  counts: { pages: number; leads: number; errors: number };
  error: { code: string; message: string } | null;
  attempts: { attempt: number; worker: string; outcome: string | null; started_at: string }[];
  started_at: string | null;
  finished_at: string | null;
  created_at: string;
  [field: string]: unknown;
}

export interface Client {
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Posts a job that must be accepted; its id. */
  post(spec: Record<string, unknown>): Promise<string>;
  /** Posts a batch that must be accepted; the ids. */
  postBatch(jobs: Record<string, unknown>[]): Promise<string[]>;
  job(id: string): Promise<JobView>;
  pages(id: string): Promise<Record<string, unknown>[]>;
  /** The job once its status is one of these. */
  until(id: string, ...statuses: string[]): Promise<JobView>;
  /**
   * The same for many, polled one after the other: hundreds of concurrent polls would be the load.
   */
  untilAll(ids: string[], ...statuses: string[]): Promise<JobView[]>;
  cancel(id: string): Promise<JobView>;
}

export function createClient(url: string, apiKey = API_KEY): Client {
  const request: Client['request'] = (method, path, body, headers = {}) =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  const json = async <T>(status: number, method: string, path: string, body?: unknown): Promise<T> => {
    const response = await request(method, path, body);
    const text = await response.text();
    if (response.status !== status) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  const job = (id: string) => json<JobView>(200, 'GET', `/api/v1/jobs/${id}`);
  const until: Client['until'] = (id, ...statuses) => {
    const reached = async () => {
      const seen = await job(id);
      return statuses.includes(seen.status) && seen;
    };
    return waitFor(reached, { timeoutMs: 60_000, what: `job ${id} to be ${statuses.join(' or ')}` });
  };
  return {
    request,
    job,
    until,
    untilAll: async (ids, ...statuses) => {
      const jobs: JobView[] = [];
      for (const id of ids) jobs.push(await until(id, ...statuses));
      return jobs;
    },
    post: async (spec) => (await json<JobView>(202, 'POST', '/jobs/scrape', spec)).job_id,
    postBatch: async (jobs) =>
      (await json<{ jobs: JobView[] }>(202, 'POST', '/api/v1/jobs/batch', { jobs })).jobs.map(
        ({ job_id }) => job_id,
      ),
    pages: async (id) =>
      (await json<{ pages: Record<string, unknown>[] }>(200, 'GET', `/api/v1/jobs/${id}/pages`)).pages,
    cancel: (id) => json<JobView>(200, 'POST', `/api/v1/jobs/${id}/cancel`),
  };
}
