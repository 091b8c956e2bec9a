import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Sql } from '../../../db/connect.ts';
import { claimDeliveries, claimMail } from '../../../db/notifications/deliveries/claim.ts';
import { markDeliveriesDispatched } from '../../../db/notifications/deliveries/dispatch.ts';
import { statement } from '../../../db/statement.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startApi, type TestApi } from '../api/api-fixture.ts';

/** A wake-up message reaches a notifier while the scheduler still marks its delivery. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi({});
});
afterAll(() => api.stop());

const QUEUE = statement(
  'queue_delivery',
  `
  INSERT INTO deliveries (event_id, user_id, channel, target, type, urgent, correlation_id, data, occurred_at)
  VALUES (gen_random_uuid(), $1, $2, 'ann@example.com', 'job.completed', false, 'test', '{}', now()) RETURNING id
  `,
);
const STATE = statement('delivery_state', 'SELECT status, dispatched_at FROM deliveries WHERE id = $1');
const WAITING = statement(
  'is_a_claim_waiting',
  "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
);

const CLAIMS = {
  push: (sql: Sql, id: string) => claimDeliveries(sql, [{ id, attempt: 0, holder: 'h' }], 60_000),
  email: (sql: Sql, id: string) => claimMail(sql, { id, attempt: 0 }, { holder: 'h', leaseMs: 60_000 }),
};

describe.each(Object.entries(CLAIMS))('of the channel %s', (channel, claim) => {
  async function queue(): Promise<string> {
    const { userId } = await api.addUser();
    const [row] = await api.database.query<{ id: string }>(QUEUE, [userId, channel]);
    return row?.id ?? '';
  }

  test('the claim waits for the mark, and has it', async () => {
    const id = await queue();
    let claiming: ReturnType<typeof claim> | undefined;
    await api.database.transaction(async (sql) => {
      await markDeliveriesDispatched(sql, [{ id, attempt: 0 }]);
      let isOver = false;
      claiming = claim(api.database, id).finally(() => {
        isOver = true;
      });
      const waits = async () => isOver || (await api.database.query(WAITING)).length > 0;
      await waitFor(waits, { what: 'the claim to wait' });
    });
    expect(await claiming).toMatchObject([{ id }]);
  });

  test('the mark does not wait for the claim, and leaves it alone', async () => {
    const id = await queue();
    await api.database.transaction(async (sql) => {
      expect(await claim(sql, id)).toMatchObject([{ id }]);
      await markDeliveriesDispatched(api.database, [{ id, attempt: 0 }]);
    });
    expect(await api.database.query(STATE, [id])).toEqual([{ status: 'sending', dispatched_at: null }]);
  });

  test('of two claims one has it', async () => {
    const id = await queue();
    const both = await Promise.all([claim(api.database, id), claim(api.database, id)]);
    expect(both.flat()).toHaveLength(1);
  });
});
