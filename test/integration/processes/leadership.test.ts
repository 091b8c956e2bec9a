import { connect, type Database } from '../../../db/connect.ts';
import { createLeadership } from '../../../db/leadership.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { waitFor } from '../../support/wait-for.ts';

let testDatabase: TestDatabase;
let here: Database;
let there: Database;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  const open = (applicationName: string) =>
    connect({ url: testDatabase.url, poolSize: 2, applicationName, logger: silentLogger });
  here = open('here');
  there = open('there');
});
afterEach(async () => {
  await Promise.all([here.stop(), there.stop()]);
  await testDatabase.drop();
});

test('one of two leads, and the other takes over when it resigns', async () => {
  const first = createLeadership(here);
  const second = createLeadership(there);
  expect(await first.hold()).toBe(true);
  expect(await second.hold()).toBe(false);
  expect(await first.hold()).toBe(true);
  await first.release();
  expect(await second.hold()).toBe(true);
  await second.release();
});

test('a leader that stops renewing has lost leadership, and learns of it', async () => {
  const silent = createLeadership(here);
  const other = createLeadership(there);
  expect(await silent.hold()).toBe(true);
  // Its connection stays open, like that of a machine that died silently.
  await waitFor(() => other.hold(), { what: 'the other one to lead', everyMs: 500 });
  await expect(silent.hold()).rejects.toThrow();
  expect(await silent.hold()).toBe(false);
  await other.release();
});
