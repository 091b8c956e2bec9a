import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { waitFor } from './wait-for.ts';

export interface TestDatabase {
  url: string;
  /** Removes it. Fails if connections were left open, which is a leak in the test. */
  drop(): Promise<void>;
}

/** An empty database of its own with the current schema. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${process.env.JEST_WORKER_ID ?? '0'}_${randomBytes(5).toString('hex')}`;
  await asAdmin((admin) => admin.query(`CREATE DATABASE ${name} TEMPLATE leadengine_template`));
  const url = new URL(adminUrl());
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () =>
      asAdmin(async (admin) => {
        const open = await connectionsLeft(admin, name);
        await waitFor(() => dropped(admin, name), { what: `database ${name} to be dropped` });
        if (open.length > 0) throw new Error(`connections were left open: ${open.join(', ')}`);
      }),
  };
}

/** Connections that remain after the moment Postgres takes to notice a closed one. */
async function connectionsLeft(admin: pg.Client, database: string): Promise<string[]> {
  let open: string[] = [];
  const closed = async () => {
    const { rows } = await admin.query<{ who: string }>(
      `SELECT format('%s (%s)', application_name, left(query, 60)) AS who FROM pg_stat_activity
       WHERE datname = $1 AND backend_type = 'client backend'`,
      [database],
    );
    open = rows.map(({ who }) => who);
    return open.length === 0;
  };
  await waitFor(closed, { timeoutMs: 3000 }).catch(() => {});
  return open;
}

/** Short and not ours to end: a running autovacuum. */
async function dropped(admin: pg.Client, database: string): Promise<boolean> {
  await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  return true;
}

async function asAdmin<T>(work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: adminUrl() });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** The tests' own Postgres, started by global-setup. */
function adminUrl(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('no test Postgres: run the tests with `node scripts/jest.mjs`');
  return url;
}
