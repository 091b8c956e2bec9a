import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../../db/connect.ts';
import { claimJobs, MAX_YIELDS } from '../../../db/jobs/claim.ts';
import { listWaiting, markDispatched } from '../../../db/jobs/dispatch.ts';
import { statement } from '../../../db/statement.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startApi, type TestApi } from '../api/api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

test('a job that yielded before it was marked as dispatched is dispatched again', async () => {
  const { database } = api;
  const urgent = await api.submit({ urls: ['https://example.com/'], priority: 9 });
  const ordinary = await api.submit({ urls: ['https://example.com/'], priority: 1 });
  /** The ordinary job's message at a worker, while the urgent one's is still on its way. */
  const deliver = async () => {
    await markDispatched(database, [{ id: urgent, attempt: 0, yieldCount: 0 }]);
    const worker = { id: 'worker-of-the-tests', leaseMs: 60_000 };
    return await claimJobs(database, worker, [{ id: ordinary, attempt: 0 }]);
  };
  const waiting = async () => listWaiting(database, new Map([[await ownerOf(database, ordinary), 10]]));

  expect(await deliver()).toEqual([{ kind: 'yielded' }]);
  const listed = await waitFor(async () => {
    const jobs = await waiting();
    return jobs.some(({ id }) => id === ordinary) ? jobs : undefined;
  });

  // Published and delivered at once; the mark of this dispatch comes after it and must not hide the
  // job.
  expect(await deliver()).toEqual([{ kind: 'yielded' }]);
  await markDispatched(database, listed);
  const still = await waiting();
  expect(still.map(({ id }) => id)).toEqual([ordinary]);

  await markDispatched(database, still);
  expect(await waiting()).toEqual([]);
});

const DISPATCHED_LONG_AGO = statement(
  'test_dispatched_long_ago',
  "UPDATE jobs SET dispatched_at = now() - interval '9 s' WHERE id = $1",
);

test('a job yields to one that waits behind it for long, and runs after a few times', async () => {
  const { database } = api;
  const urgent = await api.submit({ urls: ['https://example.com/'], priority: 9 });
  const ordinary = await api.submit({ urls: ['https://example.com/'], priority: 1 });
  await database.query(DISPATCHED_LONG_AGO, [urgent]);
  const deliver = () =>
    claimJobs(database, { id: 'worker-of-the-tests', leaseMs: 60_000 }, [{ id: ordinary, attempt: 0 }]);
  for (let yields = 0; yields < MAX_YIELDS; yields += 1)
    expect(await deliver()).toEqual([{ kind: 'yielded' }]);
  expect(await deliver()).toMatchObject([{ kind: 'claimed', job: { id: ordinary } }]);
});

async function ownerOf(database: Database, id: string): Promise<string> {
  const [job] = await database.query<{ user_id: string }>(OWNER_OF, [id]);
  return job?.user_id ?? '';
}

const OWNER_OF = statement('test_owner_of', 'SELECT user_id FROM jobs WHERE id = $1');
