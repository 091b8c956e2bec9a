import { describe, expect, test } from '@jest/globals';
import { OperatorError } from '../runtime/operator-error.ts';
import { type DatabaseContents, pendingMigrations } from './schema-version.ts';

const known = ['0001-users', '0002-jobs', '0003-events'].map((name) => ({ name, sql: `SELECT '${name}'` }));
const pending = (contents: DatabaseContents) => pendingMigrations(contents, known).map(({ name }) => name);
const recorded = (...applied: string[]): DatabaseContents => ({ kind: 'recorded', applied });

test.each<[string, DatabaseContents, string[]]>([
  ['a new database', { kind: 'unrecorded', tables: [] }, ['0001-users', '0002-jobs', '0003-events']],
  ['an older one', recorded('0001-users'), ['0002-jobs', '0003-events']],
  ['one that is up to date', recorded('0001-users', '0002-jobs', '0003-events'), []],
])('%s lacks what was added since', (_, contents, expected) => {
  expect(pending(contents)).toEqual(expected);
});

describe('rejected, in one line that says what to do', () => {
  test.each<[string, DatabaseContents, RegExp]>([
    [
      'a database that is newer than the program',
      recorded('0001-users', '0002-jobs', '0003-events', '0004-leads'),
      /at schema 0004-leads, newer than this program's 0003-events: upgrade LeadEngine/,
    ],
    [
      'one that has a step the program does not know',
      recorded('0001-users', '0002-else'),
      /at schema 0002-else, which this program, at 0003-events, does not know/,
    ],
    [
      'one that lacks a step in the midst',
      recorded('0001-users', '0003-events'),
      /at schema 0003-events but lacks 0002-jobs: .*restore a whole backup/,
    ],
    [
      "another application's",
      { kind: 'unrecorded', tables: ['orders', 'products'] },
      /tables \(orders, products\) .*another application's.*DATABASE_URL/,
    ],
    [
      'one with many tables, of which it names three',
      { kind: 'unrecorded', tables: ['a', 'b', 'c', 'd', 'e'] },
      /\(a, b, c and 2 more\)/,
    ],
  ])('%s', (_, contents, message) => {
    const refused = () => pending(contents);
    expect(refused).toThrow(OperatorError);
    expect(refused).toThrow(message);
    expect(refused).not.toThrow(/\n/);
  });
});
