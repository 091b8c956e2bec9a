import type { Database } from './connect.ts';
import { MIGRATIONS, type Migration } from './migrations/index.ts';

/**
 * Brings the schema up to date. Safe when several processes start at once: knex's lock lets one migrate while the others
 * wait for it here.
 */
export async function migrate(database: Database): Promise<string[]> {
  // One lock for all, and not knex's own lock table: a process killed in mid-migration leaves that one locked for ever, while
  // this one ends with its session.
  return database.knex.transaction(async (transaction) => {
    await transaction.raw('SELECT pg_advisory_xact_lock(?)', [MIGRATION_LOCK]);
    const [, applied] = await transaction.migrate.latest({
      migrationSource: staticSource,
      disableMigrationsListValidation: false,
      tableName: 'migrations',
    });
    return applied as string[];
  });
}

const MIGRATION_LOCK = 4_203_001;

/** Names are ours, without a file's extension: knex would take `.ts` and `.js` of one file for two migrations. */
const staticSource = {
  getMigrations: async () => MIGRATIONS,
  getMigrationName: (migration: Migration) => migration.name,
  getMigration: async (migration: Migration) => ({
    up: async (knex: { raw(sql: string): PromiseLike<unknown> }) => {
      await knex.raw(migration.up);
    },
    down: async () => {
      throw new Error('migrations go forward only');
    },
  }),
};
