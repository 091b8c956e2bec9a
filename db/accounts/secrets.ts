import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/**
 * A key of the installation, made by the first process that needs it and then shared by all.
 *
 * @param make called if there may be none yet; its value is discarded if another process was faster
 */
export async function installationSecret(sql: Sql, name: string, make: () => string): Promise<string> {
  const [known] = await sql.query<{ value: string }>(FIND_SECRET, [name]);
  if (known) return known.value;
  await sql.query(KEEP_SECRET, [name, make()]);
  const [kept] = await sql.query<{ value: string }>(FIND_SECRET, [name]);
  if (!kept) throw new Error(`secret ${name} was not kept`);
  return kept.value;
}

const FIND_SECRET = statement('find_secret', 'SELECT value FROM installation_secrets WHERE name = $1');
const KEEP_SECRET = statement(
  'keep_secret',
  'INSERT INTO installation_secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING',
);
