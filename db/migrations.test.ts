import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { MIGRATIONS } from './migrations/index.ts';

/**
 * SHA-256 of each released migration's SQL, its first 16 digits. One line per migration, added with
 * it and never changed.
 */
const RELEASED: Record<string, string> = {
  '0001-users-and-keys': '4b3bb3b9a62f7dc5',
  '0002-jobs': 'b70edb7fb6a11e40',
  '0003-events': '831ecd45ef5e4c83',
  '0004-leads': 'd40637e8f1b951c5',
  '0005-artifacts': '197c600c2d40126f',
  '0006-hosts': '8ce6ca9c132c8004',
  '0007-notifications': '03f38ac5a6cc681f',
  '0008-dead-letters': 'a1b205008ada2767',
  '0009-links': '9b092b74e3d34fd8',
  '0010-statistics': 'e7373dff41c91bcb',
  '0011-embedded-queue': 'fb91cdb293646201',
  '0012-idempotent-answers': '88781093211179f2',
  '0013-candidate-outcomes': 'fa680a27241a7cc3',
  '0014-link-texts': 'b368b0f3e1f503c3',
  '0015-worker-sandbox': 'd5419b8e05030941',
  '0016-secrets': 'e4c37a8c0f81fddf',
  '0017-webhook-receivers': '73d78366f09108c2',
  '0018-deletions': '5a3c262cffcb0eff',
  '0019-roles-and-scopes': '5f49074c6289fc85',
  '0020-audit-log': '049bc95f9b2ec784',
  '0021-schedules': '173957ae5553a756',
  '0022-suppressions': 'fd380c69239bf98d',
  '0023-key-life': '811939365ea82600',
  '0024-limits-and-usage': '63963065dd23aadd',
  '0025-fair-turns': 'a52f98f0e303ad61',
  '0026-user-deletion': '322e870cc3d1b743',
};

const FOLDER = join(import.meta.dirname, 'migrations');
const files = readdirSync(FOLDER).filter((name) => /^\d{4}-.*\.ts$/.test(name));
const hashOf = (sql: string): string => createHash('sha256').update(sql).digest('hex').slice(0, 16);

describe('a released migration', () => {
  test.each(MIGRATIONS.map(({ name, sql }) => [name, sql]))('%s never changes', (name, sql) => {
    const hash = hashOf(sql);
    const released = RELEASED[name];
    if (released === hash) return;
    throw new Error(
      released === undefined
        ? `${name} is new: add the line '${name}': '${hash}' to RELEASED in db/migrations.test.ts`
        : `${name} was changed, but databases have applied it as it was: put it back, and add a new migration at the end of db/migrations/`,
    );
  });

  test('is never removed', () => {
    expect(MIGRATIONS.map(({ name }) => name)).toEqual(Object.keys(RELEASED));
  });
});

test('names are numbered in order without a gap, one file each', () => {
  const names = MIGRATIONS.map(({ name }) => name);
  expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, at) => at + 1));
  expect(files.sort()).toEqual(names.map((name) => `${name}.ts`));
});

/** With imported code in it, a migration would change with the code. */
test.each(files)('%s is plain SQL and imports nothing but its type', (file) => {
  const code = readFileSync(join(FOLDER, file), 'utf8');
  expect(code.match(/^.*\b(import|require)\b.*$/gm)).toEqual([
    "import type { Migration } from './migration.ts';",
  ]);
  expect(code).not.toContain('${');
});

test('the type of a migration imports nothing, so that no migration is part of an import cycle', () => {
  expect(readFileSync(join(FOLDER, 'migration.ts'), 'utf8')).not.toMatch(/\bimport\b/);
});
