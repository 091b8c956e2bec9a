import pg from 'pg';
import { hashKey, prefixOf } from '../api/accounts/api-key.ts';
import type { JobSpec } from '../core/jobs/job.ts';
import { ensureAdmin } from '../db/accounts/users.ts';
import { connect, type Database } from '../db/connect.ts';
import { acceptJobs } from '../db/jobs/accept.ts';
import { openDatabase } from '../db/open.ts';
import { statement } from '../db/statement.ts';
import { silentLogger } from '../runtime/log/logger.ts';
import { API_KEY, BENCH_SECRETS, JOB } from './job.ts';
import type { Services } from './services.ts';

/** A database for one measurement. */
export interface Scratch {
  url: string;
  database: Database;
  /** Deletes jobs and events. */
  clear(): Promise<void>;
  drop(): Promise<void>;
}

const TEMPLATE = 'bench_template';
let made = 0;

/** A database with the current schema, an admin whose key is `API_KEY`, and no jobs. */
export async function createScratch({ postgresUrl }: Services): Promise<Scratch> {
  await ensureTemplate(postgresUrl);
  const url = await createDatabase(postgresUrl, `TEMPLATE ${TEMPLATE}`);
  const database = connect({ ...CONNECTION, url, statementTimeoutMs: 300_000 });
  return {
    url,
    database,
    clear: async () => {
      await database.knex.raw('TRUNCATE jobs, events, idempotency_keys CASCADE');
    },
    drop: async () => {
      await database.stop();
      await dropDatabase(postgresUrl, url);
    },
  };
}

const CONNECTION = {
  poolSize: 4,
  applicationName: 'leadengine bench',
  logger: silentLogger,
  secrets: BENCH_SECRETS,
};
const madeTemplates = new Map<string, Promise<void>>();

function ensureTemplate(postgresUrl: string): Promise<void> {
  const begin = async () => {
    await admin(postgresUrl, `CREATE DATABASE ${TEMPLATE}`);
    const database = await openDatabase({ ...CONNECTION, url: urlOf(postgresUrl, TEMPLATE) });
    await ensureAdmin(database, { prefix: prefixOf(API_KEY), hash: hashKey(API_KEY) });
    await database.stop();
  };
  const making = madeTemplates.get(postgresUrl) ?? begin();
  madeTemplates.set(postgresUrl, making);
  return making;
}

/** An empty database, for a peer. */
export async function createDatabase(postgresUrl: string, as = ''): Promise<string> {
  made += 1;
  const name = `bench_${made}`;
  await admin(postgresUrl, `CREATE DATABASE ${name} ${as}`);
  return urlOf(postgresUrl, name);
}

/**
 * Not WITH (FORCE): a role that is no superuser may not end an autovacuum. Postgres waits 5 s for
 * open sessions.
 */
export async function dropDatabase(postgresUrl: string, url: string): Promise<void> {
  await admin(postgresUrl, `DROP DATABASE ${new URL(url).pathname.slice(1)}`);
}

/** What autovacuum would do within seconds; before every drain, for us and for the peers alike. */
export const vacuum = (url: string): Promise<void> => admin(url, 'VACUUM ANALYZE');

async function admin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function urlOf(postgresUrl: string, database: string): string {
  const url = new URL(postgresUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Inserts accepted jobs without the API, as if their events had been relayed. */
export async function insertJobs(scratch: Scratch, count: number, spec: JobSpec = job): Promise<void> {
  const { database } = scratch;
  const [user] = await database.query<{ id: string }>(FIND_ADMIN);
  if (!user) throw new Error('the scratch database has no admin');
  for (let at = 0; at < count; at += 1000) {
    const specs = Array.from({ length: Math.min(1000, count - at) }, () => spec);
    await acceptJobs(database, [{ userId: user.id, correlationId: `bench-${at}`, specs }]);
  }
  await database.query(SKIP_EVENTS);
  await vacuum(scratch.url);
}

const job: JobSpec = { ...JOB, urls: [...JOB.urls], formats: [...JOB.formats] };
const FIND_ADMIN = statement('bench_find_admin', "SELECT id FROM users WHERE role = 'admin'");
const SKIP_EVENTS = statement(
  'bench_skip_events',
  `
  UPDATE event_cursors c SET xid = e.xid, seq = e.seq
  FROM (SELECT xid, seq FROM events ORDER BY xid DESC, seq DESC LIMIT 1) AS e
  WHERE c.reader = 'relay'
  `,
);
