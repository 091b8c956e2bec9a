import type pg from 'pg';
import { OperatorError } from '../runtime/operator-error.ts';
import { isDatabaseUnavailable } from './connect.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { Migration } from './migrations/migration.ts';
import { withOneConnection } from './one-connection.ts';
import { type DatabaseContents, pendingMigrations } from './schema-version.ts';

/**
 * Brings the schema up to date; returns the names of the migrations applied. Each runs in a
 * transaction of its own together with the row that records it, so one that fails leaves nothing
 * behind, and the next start begins with it.
 *
 * Processes that start at once migrate one after another. The advisory lock ends with its session,
 * so a process that is killed during a migration blocks no other; a lock in a table, such as
 * knex's, would stay.
 *
 * @throws OperatorError if the database is not one this program can use: it is newer, another
 * application's, or incomplete
 */
export async function migrate(
  database: { url: string; applicationName: string },
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<string[]> {
  return withOneConnection(database, async (client) => {
    await client.query(SILENCE_ENDS);
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const pending = pendingMigrations(await readContents(client), migrations);
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  });
}

const MIGRATION_LOCK = 4_203_001;

/**
 * A machine that vanishes or freezes during a migration would keep the lock for as long as TCP
 * takes to notice, two hours. A running statement does not count as silence, and neither does
 * waiting for the lock.
 */
const SILENCE_ENDS = `SET idle_session_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'`;

/**
 * What the program would work with: its own tables, another application's, or an empty database.
 */
async function readContents(client: pg.Client): Promise<DatabaseContents> {
  const { rows } = await client.query<{ recorded: boolean; tables: string[] }>(CONTENTS);
  const [{ recorded, tables } = { recorded: false, tables: [] }] = rows;
  if (!recorded) return { kind: 'unrecorded', tables };
  const applied = await client.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY name');
  return { kind: 'recorded', applied: applied.rows.map(({ name }) => name) };
}

/**
 * Tables that belong to an extension (PostGIS, pg_stat_statements) are not an application's. Other
 * frameworks have a `schema_migrations` too, but none with these two columns.
 */
const CONTENTS = `
  SELECT count(*) FILTER (WHERE relation = 'schema_migrations' AND columns = '{applied_at,name}') > 0 AS recorded,
         coalesce(array_agg(relation ORDER BY relation), '{}') AS tables
  FROM (
    SELECT CASE WHEN n.nspname = current_schema() THEN c.relname ELSE n.nspname || '.' || c.relname END AS relation,
           ARRAY(SELECT attname::text FROM pg_attribute
                 WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attname) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname IN (current_schema(), 'queue')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ) AS found`;

async function apply(client: pg.Client, { name, sql }: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(RECORDS);
    await client.query(sql);
    await client.query('INSERT INTO schema_migrations (name) VALUES ($1)', [name]);
    await client.query('COMMIT');
  } catch (error) {
    throw failed(name, error);
  }
}

const RECORDS = `
  CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`;

/** An error of the statement itself is permanent; unavailability is transient and retried. */
function failed(name: string, error: unknown): unknown {
  if (isDatabaseUnavailable(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new OperatorError(
    `migration ${name} failed, and nothing of it was kept: ${message}; mend what it names and start again`,
    { cause: error },
  );
}
