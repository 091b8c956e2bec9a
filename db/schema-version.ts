import { OperatorError } from '../runtime/operator-error.ts';
import type { Migration } from './migrations/migration.ts';

/** What was found in place of the schema. */
export type DatabaseContents =
  /** No record of migrations; `tables` is empty in a new database. */
  | { kind: 'unrecorded'; tables: readonly string[] }
  /** Names of the migrations applied, in order. */
  | { kind: 'recorded'; applied: readonly string[] };

/**
 * The migrations that a database lacks.
 *
 * @throws OperatorError, in one line, if they cannot be applied to this database
 */
export function pendingMigrations(
  contents: DatabaseContents,
  known: readonly Migration[],
): readonly Migration[] {
  if (contents.kind === 'unrecorded') {
    if (contents.tables.length > 0) throw notOurs(contents.tables);
    return known;
  }
  const { applied } = contents;
  const names = known.map(({ name }) => name);
  const unknown = applied.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw unknownSchema(applied, names);
  const missing = names.slice(0, applied.length).filter((name) => !applied.includes(name));
  if (missing.length > 0) throw incomplete(applied, missing);
  return known.slice(applied.length);
}

const notOurs = (tables: readonly string[]) =>
  new OperatorError(
    `the database has tables (${listed(tables)}) but no record of LeadEngine's migrations: it is another application's, or a backup restored in part; point DATABASE_URL at an empty database or restore a whole backup`,
  );

function unknownSchema(applied: readonly string[], names: readonly string[]): OperatorError {
  const [theirs = '', ours = ''] = [applied.at(-1), names.at(-1)];
  return new OperatorError(
    theirs > ours
      ? `the database is at schema ${theirs}, newer than this program's ${ours}: upgrade LeadEngine to the version that migrated it, or restore a backup made before`
      : `the database is at schema ${theirs}, which this program, at ${ours}, does not know: start the LeadEngine that migrated it, or point DATABASE_URL at an empty database`,
  );
}

const incomplete = (applied: readonly string[], missing: readonly string[]) =>
  new OperatorError(
    `the database is at schema ${applied.at(-1)} but lacks ${listed(missing)}: it was migrated in part; restore a whole backup`,
  );

const listed = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
