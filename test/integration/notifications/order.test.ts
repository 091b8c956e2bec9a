import { afterEach, describe, expect, test } from '@jest/globals';
import { statement } from '../../../db/statement.ts';
import { DRIVERS } from '../../support/processes/fleet.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startNotifying, type TestNotifier } from './notifier-fixture.ts';

const COUNT_DELIVERIES = statement('test_count_deliveries', 'SELECT count(*) FROM deliveries');

let fixture: TestNotifier;
const fannedOut = async (count: number) => {
  const isDone = async () => Number((await fixture.api.database.query(COUNT_DELIVERIES))[0]?.count) >= count;
  await waitFor(isDone, { what: 'all to be fanned out' });
};
afterEach(() => fixture.stop());

describe.each(DRIVERS)('with a backlog on %s', (driver) => {
  test('the notification of a failed job overtakes those of completed ones', async () => {
    fixture = await startNotifying({ driver, notifier: false });
    const { key } = await fixture.api.addUser();
    const target = `${fixture.receiver.url}/ordered`;
    await fixture.subscribe({ events: ['job.completed', 'job.failed'], channel: 'webhook', target }, key);
    const ordinary = 200;
    for (let index = 0; index < ordinary; index += 1) await fixture.end('completed', {}, key);
    await fixture.end('failed', {}, key);
    // A relay that repeats messages makes one longer than it is; the other shows that the failed
    // job is in it.
    const relayed = async () =>
      (await fixture.queue.depth('job_notifications')) > ordinary &&
      (await fixture.queue.depth('urgent_notifications')) > 0;
    await waitFor(relayed, { what: 'the backlog' });
    await fixture.startNotifier();
    await waitFor(() => fixture.receiver.requests.length > ordinary, { what: 'all to be notified' });
    const types = fixture.receiver.requests.map(({ body }) => JSON.parse(String(body)).type);
    // Only what is in the broker's window and with the notifier is before it.
    expect(types.indexOf('job.failed')).toBeLessThan(80);
    expect(types.filter((type) => type === 'job.failed')).toHaveLength(1);
  });
});

test('a failed job passes notifications to a slow host', async () => {
  fixture = await startNotifying({ notify: { concurrency: 8 } });
  const { key } = await fixture.api.addUser();
  fixture.receiver.answer({ status: 200, afterMs: 1100 });
  const target = `${fixture.receiver.url}/slow`;
  await fixture.subscribe({ events: ['job.completed', 'job.failed'], channel: 'webhook', target }, key);
  const ordinary = 64;
  for (let index = 0; index < ordinary; index += 1) await fixture.end('completed', {}, key);
  // Eight at once until it is known to be slow, then four.
  await waitFor(() => fixture.receiver.requests.length > 8, { what: 'the first to be notified' });
  await fixture.end('failed', {}, key);
  await fannedOut(ordinary + 1);
  const before = fixture.receiver.requests.length;
  await waitFor(() => fixture.receiver.requests.length > ordinary, { what: 'all to be notified' });
  const types = fixture.receiver.requests.map(({ body }) => JSON.parse(String(body)).type);
  // At most the eight that were being sent are before it.
  expect(types.indexOf('job.failed')).toBeLessThan(before + 8);
});

test('a host that is down gets no requests, and its notifications are sent when it is back, with all attempts left', async () => {
  fixture = await startNotifying({ notify: { webhookAttempts: 12 } });
  const { key } = await fixture.api.addUser();
  const down = { status: 503 };
  fixture.receiver.answer(down);
  const target = `${fixture.receiver.url}/down`;
  const { webhook_id } = await fixture.subscribe(
    { events: ['job.completed'], channel: 'webhook', target },
    key,
  );
  for (let index = 0; index < 20; index += 1) await fixture.end('completed', {}, key);
  const deliveries = async () =>
    (await fixture.get(`/webhooks/${webhook_id}/deliveries`, key)).json.deliveries;
  const isLeftAlone = async () =>
    (await deliveries()).filter(
      ({ error }: { error: { code: string } | null }) => error?.code === 'circuit_open',
    ).length >= 10;
  await waitFor(isLeftAlone, { what: 'the circuit to open' });
  // Five failures opened the circuit; requests in flight at that moment came on top.
  expect(fixture.receiver.requests.length).toBeLessThan(20);
  fixture.receiver.answer({ status: 200 });
  await waitFor(
    async () => (await deliveries()).every(({ status }: { status: string }) => status === 'delivered'),
    {
      what: 'all to arrive',
    },
  );
  expect(await deliveries()).toHaveLength(20);
});

test('a notifier that is stopped returns what it cannot finish, without counting the attempt', async () => {
  fixture = await startNotifying({ notifier: false, graceMs: 200, leaseMs: 60_000 });
  const { key } = await fixture.api.addUser();
  fixture.receiver.answer({ status: 200, hang: true });
  const target = `${fixture.receiver.url}/hangs`;
  const { webhook_id } = await fixture.subscribe(
    { events: ['job.completed'], channel: 'webhook', target },
    key,
  );
  await fixture.end('completed', {}, key);
  const notifier = await fixture.startNotifier();
  await waitFor(() => fixture.receiver.requests.length === 1, { what: 'the message to be under way' });
  await notifier.stop();
  const deliveries = async () =>
    (await fixture.get(`/webhooks/${webhook_id}/deliveries`, key)).json.deliveries;
  expect(await deliveries()).toMatchObject([{ status: 'queued', error: { code: 'released' }, attempts: [] }]);
  fixture.receiver.answer({ status: 200 });
  await fixture.startNotifier();
  await fixture.settled();
  expect(await deliveries()).toMatchObject([{ status: 'delivered', attempts: [{ status: 200 }] }]);
  const ids = fixture.receiver.requests.map(({ headers }) => headers['webhook-id']);
  expect(ids).toEqual([ids[0], ids[0]]);
});
