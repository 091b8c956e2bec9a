import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrate } from '../../../db/migrate.ts';
import { MIGRATIONS } from '../../../db/migrations/index.ts';
import { openDatabase } from '../../../db/open.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { OperatorError } from '../../../runtime/operator-error.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { runToEnd } from '../../support/processes/processes.ts';

/**
 * How a start handles the database it finds: a real Postgres, and separate processes if several
 * start at once.
 */

const NAMES = MIGRATIONS.map(({ name }) => name);
const made: TestDatabase[] = [];
afterEach(async () => {
  for (const database of made.splice(0)) await database.drop();
});

/** With the current schema, or empty. */
async function databaseWith(contents: 'schema' | 'nothing', sql = ''): Promise<string> {
  const database = await createTestDatabase();
  made.push(database);
  if (contents === 'nothing')
    await run(database.url, 'DROP SCHEMA queue CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  if (sql) await run(database.url, sql);
  return database.url;
}

async function run(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows ?? [];
  } finally {
    await client.end();
  }
}

const migrated = (url: string, migrations = MIGRATIONS) =>
  migrate({ url, applicationName: 'migrate test' }, migrations);
const tablesOf = (url: string) =>
  run(url, `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`).then(
    (rows) => rows.map(({ relname }) => relname),
  );

describe('a new database', () => {
  test('gets the schema; a second start finds nothing to do', async () => {
    const url = await databaseWith('nothing');
    expect(await migrated(url)).toEqual(NAMES);
    expect(await migrated(url)).toEqual([]);
    expect(await run(url, 'SELECT name FROM schema_migrations ORDER BY name')).toEqual(
      NAMES.map((name) => ({ name })),
    );
  });

  test('is migrated once, however many processes start at once', async () => {
    const url = await databaseWith('nothing');
    const applied = await Promise.all(Array.from({ length: 8 }, () => migrated(url)));
    expect(applied.flat().sort()).toEqual(NAMES);
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
  });

  test('may have the tables of an extension', async () => {
    const url = await databaseWith('nothing');
    // The password is the role's own; only the superuser may add an extension.
    const asSuperuser = new URL(url);
    asSuperuser.username = 'postgres';
    await run(asSuperuser.href, 'CREATE EXTENSION pg_stat_statements');
    expect(await migrated(url)).toEqual(NAMES);
  });

  test('in which another schema has tables counts as empty', async () => {
    const url = await databaseWith('nothing', 'CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)');
    expect(await migrated(url)).toEqual(NAMES);
  });
});

describe('a database that the program cannot use is refused in one line, and unchanged:', () => {
  test.each<[string, 'schema' | 'nothing', string, RegExp]>([
    [
      'one that is newer',
      'schema',
      "INSERT INTO schema_migrations (name) VALUES ('9999-from-the-future')",
      /at schema 9999-from-the-future, newer than this program's 00\d\d-[a-z-]+: upgrade/,
    ],
    [
      'one that lacks a migration in the midst',
      'schema',
      `DELETE FROM schema_migrations WHERE name = '${NAMES[3]}'`,
      new RegExp(`lacks ${NAMES[3]}`),
    ],
    ["another application's", 'nothing', 'CREATE TABLE orders (id int)', /\(orders\).*another application's/],
    [
      "another's with a record of migrations of the same name",
      'nothing',
      'CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)',
      /\(schema_migrations\).*another application's/,
    ],
    ["another's whose tables are views", 'nothing', 'CREATE VIEW totals AS SELECT 1 AS one', /\(totals\)/],
    [
      'one whose record is lost',
      'schema',
      'DROP TABLE schema_migrations',
      /no record of LeadEngine's migrations.*restore a whole backup/,
    ],
    [
      'one of which the queue alone is left',
      'schema',
      'DROP SCHEMA public CASCADE; CREATE SCHEMA public',
      /\(queue\.bindings, queue\.messages, queue\.queues and 1 more\)/,
    ],
  ])('%s', async (_, contents, sql, message) => {
    const url = await databaseWith(contents, sql);
    const before = await tablesOf(url);
    const refusal: unknown = await openDatabase({
      ...{ url, poolSize: 1, applicationName: 'migrate test', logger: silentLogger },
    }).catch((error) => error);
    expect(refusal).toBeInstanceOf(OperatorError);
    expect((refusal as OperatorError).message).toMatch(message);
    expect((refusal as OperatorError).message).not.toContain('\n');
    expect(await tablesOf(url)).toEqual(before);
  });

  test('a process reports it on stderr, without a stack, and exits with 1', async () => {
    const url = await databaseWith(
      'schema',
      "INSERT INTO schema_migrations (name) VALUES ('9999-from-the-future')",
    );
    const { exitCode, signal, output } = await runToEnd('dispatch/main.js', {
      DATABASE_URL: url,
      LOG_LEVEL: 'error',
    });
    expect({ exitCode, signal }).toEqual({ exitCode: 1, signal: null });
    expect(output.trim()).toMatch(/^the database is at schema 9999-from-the-future, newer than [^\n]*$/);
  });
});

describe('a migration that fails', () => {
  const name = `9998-broken-${randomBytes(2).toString('hex')}`;
  const broken = { name, sql: 'CREATE TABLE half (id int); INSERT INTO half VALUES (1); SELECT 1 / 0' };
  const behind = { name: '9999-behind', sql: 'CREATE TABLE behind (id int)' };

  test('is rolled back, is named, and stops those after it', async () => {
    const url = await databaseWith('schema');
    const before = await tablesOf(url);
    await expect(migrated(url, [...MIGRATIONS, broken, behind])).rejects.toMatchObject({
      name: 'OperatorError',
      message: `migration ${name} failed, and nothing of it was kept: division by zero; mend what it names and start again`,
    });
    expect(await tablesOf(url)).toEqual(before);
    expect(await run(url, `SELECT FROM schema_migrations WHERE name = '${name}'`)).toEqual([]);
  });

  test('keeps those before it, and the next start begins with it', async () => {
    const url = await databaseWith('nothing');
    await expect(migrated(url, [...MIGRATIONS, broken])).rejects.toThrow(OperatorError);
    expect(await run(url, 'SELECT name FROM schema_migrations ORDER BY name')).toEqual(
      NAMES.map((known) => ({ name: known })),
    );
    const mended = { name, sql: 'CREATE TABLE whole (id int)' };
    expect(await migrated(url, [...MIGRATIONS, mended, behind])).toEqual([name, behind.name]);
  });

  test('is not repeated by waiting processes, and none of them hangs', async () => {
    const url = await databaseWith('nothing');
    const results = await Promise.allSettled(
      Array.from({ length: 4 }, () => migrated(url, [...MIGRATIONS, broken])),
    );
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    expect(await tablesOf(url)).not.toContain('half');
  });
});

test('a process killed during a migration blocks no other and leaves nothing half done', async () => {
  const url = await databaseWith('nothing');
  const slow = { name: '9998-slow', sql: 'CREATE TABLE slow (id int); SELECT pg_sleep(60)' };
  const killed = migrated(url, [...MIGRATIONS, slow]).catch((error) => error);
  let pid: unknown;
  while (!pid) {
    const [found] = await run(
      url,
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()`,
    );
    pid = found?.pid;
  }
  await run(url, `SELECT pg_terminate_backend(${pid})`);
  expect(await killed).toBeInstanceOf(Error);
  expect(await tablesOf(url)).not.toContain('slow');
  expect(await migrated(url, [...MIGRATIONS, { ...slow, sql: 'CREATE TABLE slow (id int)' }])).toEqual([
    '9998-slow',
  ]);
});
