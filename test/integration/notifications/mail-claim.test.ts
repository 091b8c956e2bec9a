import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { claimMail } from '../../../db/notifications/deliveries/claim.ts';
import { releaseExpiredDeliveries } from '../../../db/notifications/deliveries/settle.ts';
import { statement } from '../../../db/statement.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startApi, type TestApi } from '../api/api-fixture.ts';

/**
 * Which notifier composes a mail, when several receive wake-up messages for it at the same time.
 */

let api: TestApi;
beforeAll(async () => {
  api = await startApi({});
});
afterAll(() => api.stop());

const ITEMS = 8;
const QUEUE = statement(
  'queue_mail',
  `
  INSERT INTO deliveries (event_id, user_id, channel, target, type, urgent, correlation_id, data, occurred_at)
  SELECT gen_random_uuid(), $1, 'email', 'ann@example.com', 'job.completed', false, 'test', '{}', now() FROM generate_series(1, $2)
  RETURNING id
  `,
);
const LOSE = statement(
  'lose_some',
  `UPDATE deliveries SET lease_until = now() - interval '1 s' WHERE id = ANY ($1::uuid[])`,
);

const LOCK = statement('lock_delivery', 'SELECT FROM deliveries WHERE id = $1 FOR UPDATE');
const WAITING = statement(
  'is_somebody_waiting',
  "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
);

async function queueMail(): Promise<string[]> {
  const { userId } = await api.addUser();
  const rows = await api.database.query<{ id: string }>(QUEUE, [userId, ITEMS]);
  return rows.map(({ id }) => id).sort();
}
const claim = (id: string, attempt: number) =>
  claimMail(api.database, { id, attempt }, { holder: `holder-of-${id}`, leaseMs: 60_000 });
const idsOf = (parcel: { id: string }[]) => parcel.map(({ id }) => id).sort();
const first = (ids: string[]): string => ids[0] ?? '';

test('a retried mail is the same mail, however many wake-up messages arrive at once', async () => {
  for (let round = 1; round <= 20; round += 1) {
    const ids = await queueMail();
    const [mail] = await claim(first(ids), 0);
    await api.database.query(LOSE, [ids]);
    expect(await releaseExpiredDeliveries(api.database, 1000)).toBe(ITEMS);
    const parcels = await Promise.all(ids.map((id) => claim(id, 1)));
    expect(parcels.filter((parcel) => parcel.length > 0).map(idsOf)).toEqual([ids]);
    expect(new Set(parcels.flat().map(({ mailId }) => mailId))).toEqual(new Set([mail?.mailId]));
  }
});

test('a retried mail omits no item that another transaction has locked', async () => {
  const ids = await queueMail();
  await claim(first(ids), 0);
  await api.database.query(LOSE, [ids]);
  await releaseExpiredDeliveries(api.database, 1000);
  let claiming: ReturnType<typeof claim> | undefined;
  await api.database.transaction(async (sql) => {
    await sql.query(LOCK, [ids.at(-1)]);
    let over = false;
    claiming = claim(first(ids), 1).finally(() => {
      over = true;
    });
    await waitFor(async () => over || (await api.database.query(WAITING)).length > 0, { what: 'the claim' });
  });
  expect(idsOf((await claiming) ?? [])).toEqual(ids);
});

test('a mail of a lost notifier is left until all of it is requeued', async () => {
  const ids = await queueMail();
  await claim(first(ids), 0);
  await api.database.query(LOSE, [ids.slice(0, 3)]);
  expect(await releaseExpiredDeliveries(api.database, 1000)).toBe(3);
  expect(await claim(first(ids), 1)).toEqual([]);
  await api.database.query(LOSE, [ids.slice(3)]);
  await releaseExpiredDeliveries(api.database, 1000);
  expect(idsOf(await claim(first(ids), 1))).toEqual(ids);
});

test('new items become mails of their own, each item once', async () => {
  for (let round = 1; round <= 10; round += 1) {
    const ids = await queueMail();
    const parcels = await Promise.all(ids.map((id) => claim(id, 0)));
    const claimed = parcels.filter((parcel) => parcel.length > 0);
    expect(claimed.flatMap(idsOf).sort()).toEqual([...new Set(claimed.flatMap(idsOf))].sort());
    expect(new Set(claimed.map(([mail]) => mail?.mailId)).size).toBe(claimed.length);
    for (const id of ids) {
      const left = await claim(id, 0);
      if (left.length > 0) claimed.push(left);
    }
    expect(claimed.flatMap(idsOf).sort()).toEqual(ids);
  }
});
