import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { hashKey, prefixOf } from '../../../api/accounts/api-key.ts';
import { type App, type AppDependencies, createApp } from '../../../api/app.ts';
import { createClientAddress } from '../../../api/http/client-address.ts';
import { listen } from '../../../api/http/server.ts';
import { createShortLinks } from '../../../api/links/redirect/short-links.ts';
import type { Role } from '../../../core/accounts/scopes.ts';
import { type Outcome, settle } from '../../../core/jobs/job-state.ts';
import type { Page } from '../../../core/jobs/page.ts';
import type { Lead } from '../../../core/leads/lead.ts';
import { ensureAdmin } from '../../../db/accounts/users.ts';
import { connect, type Database } from '../../../db/connect.ts';
import { claimJobs } from '../../../db/jobs/claim.ts';
import type { NewJob } from '../../../db/jobs/dispatch.ts';
import { storePages as storeInRun } from '../../../db/jobs/run.ts';
import { settleJobs } from '../../../db/jobs/settle.ts';
import { statement } from '../../../db/statement.ts';
import { createDispatch } from '../../../dispatch/dispatch.ts';
import { createEmbeddedQueue } from '../../../queue/embedded.ts';
import type { Queue } from '../../../queue/queue.ts';
import { TOPOLOGY } from '../../../queue/topology.ts';
import { type Logger, silentLogger } from '../../../runtime/log/logger.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createDescriptionCheck } from '../../support/described.ts';
import { testSecrets } from '../../support/secrets.ts';
import { waitFor } from '../../support/wait-for.ts';

/**
 * The API as it runs in production without its scheduler: a real database and queue, over real
 * HTTP.
 */
export interface TestApi {
  url: string;
  database: Database;
  databaseUrl: string;
  queue: Queue;
  /** The first admin's key. */
  adminKey: string;
  /** All jobs offered for dispatch so far. */
  offered: NewJob[];
  /** The routes as they are declared. */
  routes: App['routes'];
  /** Names of the statements the API ran so far. */
  statements: string[];
  /** Requests as the admin by default; `body` is sent as JSON. */
  ask(method: string, path: string, options?: Ask): Promise<Answer>;
  /** Creates a user with a key. */
  addUser(role?: Role): Promise<{ userId: string; key: string; keyId: string }>;
  /** Submits a job; returns its id. */
  submit(body?: Record<string, unknown>, key?: string): Promise<string>;
  stop(): Promise<void>;
}

export interface Ask {
  /** null: none. */
  key?: string | null;
  body?: unknown;
  /** Sent as it is, instead of `body`. */
  raw?: string | Uint8Array;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  json: any;
}

export async function startApi({
  rateLimit = 100_000,
  logger = silentLogger,
  accessLog = false,
  smtpUrl,
  through = (url) => url,
  streams,
  mapWaitMs,
  queue: givenQueue,
  corsOrigins = [],
  egressAllow = ['127.0.0.1'],
}: {
  rateLimit?: number;
  logger?: Logger;
  accessLog?: boolean;
  smtpUrl?: string;
  /** The database URL of the API, for tests that cut it off. */
  through?: (databaseUrl: string) => string | Promise<string>;
  streams?: AppDependencies['streams'];
  mapWaitMs?: number;
  corsOrigins?: string[];
  egressAllow?: string[];
  /** Started, instead of the embedded one; stopped with the API. */
  queue?: Queue;
} = {}): Promise<TestApi> {
  const testDatabase = await createTestDatabase();
  const options = { poolSize: 5, applicationName: 'api-test', logger: silentLogger, secrets: testSecrets };
  const database = connect({ ...options, url: testDatabase.url });
  const adminKey = 'admin-key-of-the-tests';
  await ensureAdmin(database, { prefix: prefixOf(adminKey), hash: hashKey(adminKey) });

  const queue = givenQueue ?? (await startEmbeddedQueue(testDatabase.url));
  const dispatch = createDispatch({
    database,
    queue,
    logger: silentLogger,
    retry: POLICY,
    retentionDays: 30,
    auditRetentionDays: 365,
    mailPace: { gatherMs: 0, apartMs: 0, urgentApartMs: 0 },
    runsLoops: false,
  });
  const offered: NewJob[] = [];
  const offer = (jobs: NewJob[]) => {
    offered.push(...jobs);
    dispatch.offer(jobs);
  };

  const apiUrl = await through(testDatabase.url);
  const apiDatabase = apiUrl === testDatabase.url ? database : connect({ ...options, url: apiUrl });
  const statements: string[] = [];
  const watched: Database = {
    ...apiDatabase,
    query: (statement, values) => {
      statements.push(statement.name);
      return apiDatabase.query(statement, values);
    },
  };
  const dataDir = await mkdtemp(join(tmpdir(), 'leadengine-api-'));
  const links = createShortLinks({
    ...{ database: watched, queue, dataDir, publicUrl: PUBLIC_URL, logger },
    clientAddress: createClientAddress(TRUSTED_PROXIES),
    clickSpoolBytes: 2 ** 20,
  });
  await links.start();
  const app = createApp({
    database: watched,
    queue,
    dispatch: { offer },
    ...{ links, publicUrl: PUBLIC_URL, egressAllow, egressDeny: [] },
    ...{ trustedProxies: TRUSTED_PROXIES, corsOrigins },
    logger,
    rateLimit,
    accessLog,
    notify: { smtpUrl, vapid: undefined },
    ...(streams ? { streams } : {}),
    ...(mapWaitMs === undefined ? {} : { mapWaitMs }),
  });
  const server = await listen(app.handler, { host: '127.0.0.1', port: 0 }, app.upgrade);

  const checkDescription = createDescriptionCheck(app.routes);
  const ask: TestApi['ask'] = async (method, path, { key = adminKey, body, raw, headers, signal } = {}) => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: (raw as BodyInit) ?? (body === undefined ? undefined : JSON.stringify(body)),
      signal,
    });
    const text = await response.text();
    const json = parsed(text);
    const contentType = response.headers.get('content-type');
    checkDescription({ method, path, status: response.status, contentType, json });
    return { status: response.status, headers: response.headers, text, json };
  };
  let users = 0;
  return {
    url: server.url,
    database,
    databaseUrl: testDatabase.url,
    queue,
    adminKey,
    offered,
    routes: app.routes,
    statements,
    ask,
    addUser: async (role = 'member') => {
      users += 1;
      const body = { email: `user${users}@example.com`, name: `User ${users}`, role };
      const user = await ask('POST', '/api/v1/users', { body });
      const key = await ask('POST', '/api/v1/keys', { body: { name: 'test', user_id: user.json.id } });
      return { userId: user.json.id, key: key.json.key, keyId: key.json.id };
    },
    submit: async (body = { urls: ['https://example.com/'] }, key = adminKey) => {
      const answer = await ask('POST', '/api/v1/jobs/scrape', { body, key });
      expect(answer.status).toBe(202);
      return answer.json.job_id;
    },
    stop: async () => {
      const streamsEnded = app.stop();
      await server.stop(5000);
      await streamsEnded;
      await links.stop();
      await rm(dataDir, { recursive: true });
      await dispatch.stop();
      await queue.stop();
      if (apiDatabase !== database) await apiDatabase.stop();
      await database.stop();
      await testDatabase.drop();
    },
  };
}

async function startEmbeddedQueue(databaseUrl: string): Promise<Queue> {
  const options = { topology: TOPOLOGY, logger: silentLogger, leaseMs: 5000 };
  const queue = createEmbeddedQueue({ ...options, databaseUrl });
  await queue.start();
  return queue;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Resolves when readers of the ledger see all of it. They read below the oldest transaction still
 * open anywhere on the server, and other tests share it.
 */
export const ledgerSettled = (database: Database): Promise<boolean> =>
  waitFor(
    async () => {
      const [row] = await database.query<{ settled: boolean }>(LEDGER_SETTLED);
      return row?.settled;
    },
    { what: 'the ledger to be settled' },
  );

const LEDGER_SETTLED = statement(
  'test_ledger_settled',
  `
  SELECT NOT EXISTS (SELECT FROM events WHERE events.xid >= pg_snapshot_xmin(pg_current_snapshot())) AS settled
  `,
);

const TRUSTED_PROXIES = ['127.0.0.1', '::1'];
/** The public URL; no server listens there. */
export const PUBLIC_URL = 'https://go.example.com';
const POLICY = { baseMs: 60_000, capMs: 60_000 };
const WORKER = 'worker-of-the-tests';

/** Begins a run of a job, as a worker would. */
export async function begin(database: Database, id: string, attempt = 0) {
  const claimOnce = async () =>
    (await claimJobs(database, { id: WORKER, leaseMs: 60_000 }, [{ id, attempt }]))[0];
  let claim = await claimOnce();
  // To more urgent jobs of the user that another test left waiting.
  while (claim?.kind === 'yielded') claim = await claimOnce();
  if (claim?.kind !== 'claimed') throw new Error(`job ${id} was not claimed`);
  return claim.job;
}

/** Runs a job to this outcome. */
export async function run(database: Database, id: string, outcome: Outcome, attempt = 0): Promise<void> {
  const job = await begin(database, id, attempt);
  const [done] = await settleJobs(database, [{ run: job, transition: settle(job, outcome, POLICY, 0) }]);
  if (!done) throw new Error(`job ${id} was not settled`);
}

export const aPage = (fields: Partial<Page> = {}): Page => ({
  url: 'https://example.com/',
  final_url: 'https://example.com/',
  status_code: 200,
  content_type: 'text/html',
  title: 'Example',
  engine: 'http',
  fetched_at: '2026-01-01T00:00:00.000Z',
  duration_ms: 1,
  error: null,
  ...fields,
});

export const address = (city: string, country: string) => ({
  ...{
    text: `Hauptstr. 1, ${city}`,
    street: 'Hauptstr. 1',
    city,
    region: null,
    postal_code: '10115',
    country,
  },
});

export const aLead = (domain: string, fields: Partial<Lead> = {}): Lead => ({
  company: `Company of ${domain}`,
  website: `https://${domain}/`,
  domain,
  emails: [`info@${domain}`],
  phones: ['+493012345678'],
  faxes: [],
  addresses: [address('Berlin', 'DE')],
  socials: { linkedin: 'https://www.linkedin.com/company/x' },
  industry: null,
  description: null,
  employees: null,
  logo: null,
  ...{ legal_name: null, legal_form: null, people: [], registrations: [], opening_hours: [] },
  ...{ language: null, email_kinds: {}, phone_kinds: {} },
  sources: ['website'],
  evidence: [
    {
      ...{ field: 'email', value: `info@${domain}`, url: `https://${domain}/contact`, method: 'mailto' },
      ...{ snippet: 'Write to us', confidence: 0.9 },
    },
  ],
  unverified_filters: [],
  ...fields,
});

/** Stores pages of a running job. */
export async function storePages(
  database: Database,
  job: Awaited<ReturnType<typeof begin>>,
  pages: Page[],
): Promise<void> {
  for (const [position, page] of pages.entries()) {
    await storeInRun(database, job, [
      {
        position,
        page,
        artifacts: [],
        progress: { done: position + 1, total: pages.length, message: null },
        counts: { pages: position + 1, leads: 0, errors: 0 },
      },
    ]);
  }
}

/** Expects a problem of RFC 9457 with this status and code. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.json?.code }).toEqual({ status, code });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.json).toMatchObject({
    type: 'about:blank',
    title: expect.any(String),
    status,
    detail: expect.any(String),
    instance: expect.stringMatching(/^\//),
    request_id: answer.headers.get('x-request-id'),
  });
  expect(answer.text).not.toMatch(/\bat .+:\d+:\d+|node_modules|SELECT|INSERT/);
}
