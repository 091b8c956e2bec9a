import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { FILL_NOTIFICATIONS, fillJobs, fillResults } from '../../../bench/fill.ts';
import { INDEX_PLANS } from '../../../db/connect.ts';
import { allStatements } from '../../../db/statement.ts';
import * as queueStatements from '../../../queue/embedded/statements.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { genericPlan, largeRelations, type PlanNode, wholeReads } from '../../support/plans.ts';

/**
 * Every statement of the program, prepared on the current schema and explained on enough rows to
 * give the planner a choice. `statement()` registers each statement, and is the only way to make
 * one.
 */

const ROWS = 10_000;
/**
 * A table with this many rows grows with use; the largest of the others is the list of the queue's
 * bindings.
 */
const LARGE = 1000;

/**
 * Statements whose answer is the table: administrators' lists of all users and of all keys, 10,000
 * at most.
 */
const WHOLE_BY_INTENT = new Map([
  ['list_users', 'Seq Scan on users'],
  ['list_keys', 'Seq Scan on api_keys'],
]);

let database: TestDatabase;
let full: pg.Client;
let small: TestDatabase;
let fresh: pg.Client;

beforeAll(async () => {
  await importAll(join(import.meta.dirname, '../../../db'));
  database = await createTestDatabase();
  full = await connected(database.url);
  for (const fill of [fillJobs(ROWS), FILL_NOTIFICATIONS, fillResults(ROWS)]) await full.query(fill);
  await full.query('VACUUM ANALYZE');
  small = await createTestDatabase();
  fresh = await connected(small.url);
}, 300_000);

afterAll(async () => {
  await Promise.all([full?.end(), fresh?.end()]);
  await Promise.all([database?.drop(), small?.drop()]);
});

test('every statement of db/ and of the embedded queue is registered by its name', () => {
  const names = statements().map(({ name }) => name);
  expect(names.length).toBeGreaterThan(170);
  expect(new Set(names).size).toBe(names.length);
  for (const one of ['claim_jobs', 'insert_jobs', 'fan_out', 'store_clicks', 'prune_events', 'queue_take']) {
    expect(names).toContain(one);
  }
});

test('every growing table is filled, so that its statements have a choice', async () => {
  const { tables } = await largeRelations(full, LARGE);
  const { rows } = await full.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
     WHERE relnamespace IN ('public'::regnamespace, 'queue'::regnamespace) AND relkind = 'r' ORDER BY relname`,
  );
  expect(rows.map(({ name }) => name).filter((name) => !tables.has(name))).toEqual([
    'bindings',
    'blocked_requests',
    'encryption_keys',
    'event_cursors',
    'installation_secrets',
    'queues',
    'request_rates',
    'role_limits',
    'schema_migrations',
    'sessions',
    // Emptied ten times a second.
    'turn_changes',
    'visitor_salts',
    'workers',
  ]);
});

describe('no statement reads a large table whole', () => {
  test('as connections plan it', async () => {
    const large = await largeRelations(full, LARGE);
    expect(await readsOf(full, large)).toEqual(
      Object.fromEntries([...WHOLE_BY_INTENT].map(([name, read]) => [name, [read]])),
    );
  });

  /**
   * Plans are kept, and the first are made on empty tables: these must be right when the tables
   * have grown.
   */
  test('with a plan from when the tables were empty', async () => {
    const large = await largeRelations(full, LARGE);
    const { list_users, list_keys, ...others } = await readsOf(fresh, large);
    expect(others).toEqual({});
  });
});

test('a statement without an index for its condition is detected', async () => {
  const large = await largeRelations(full, LARGE);
  const reads = async (name: string, text: string) =>
    wholeReads(await genericPlan(full, { name, text }), large);
  expect(await reads('by_correlation', 'SELECT id FROM jobs WHERE correlation_id = $1')).toEqual([
    'Seq Scan on jobs',
  ]);
  expect(await reads('all_in_order', 'SELECT job_id FROM pages ORDER BY job_id, position')).toEqual([
    expect.stringContaining('of all of pages_pkey'),
  ]);
  expect(
    await reads('first_in_order', 'SELECT job_id FROM pages ORDER BY job_id, position LIMIT 10'),
  ).toEqual([]);
  expect(await reads('by_key', 'SELECT id FROM jobs WHERE id = $1')).toEqual([]);
});

/** The tables each statement reads whole, if any. */
async function readsOf(
  client: pg.Client,
  large: { tables: Set<string>; indexes: Set<string> },
): Promise<Record<string, string[]>> {
  const found: [string, string[]][] = [];
  for (const one of statements()) {
    const plan: PlanNode = await genericPlan(client, one);
    const reads = wholeReads(plan, large);
    if (reads.length > 0) found.push([one.name, reads]);
  }
  return Object.fromEntries(found);
}

function statements(): { name: string; text: string }[] {
  const ofQueue = Object.values(queueStatements).filter(
    (value): value is { name: string; text: string } => typeof value === 'object',
  );
  return [...allStatements(), ...ofQueue];
}

async function importAll(folder: string): Promise<void> {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (/\.ts$/.test(name) && !/\.test\.ts$/.test(name)) await import(pathToFileURL(join(folder, name)).href);
  }
}

/** Planned as the program's connections plan. */
async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(INDEX_PLANS);
  return client;
}
