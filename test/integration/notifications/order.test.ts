import { afterEach, describe, expect, test } from '@jest/globals';
import { DRIVERS } from '../../support/processes/fleet.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startNotifying, type TestNotifier } from './notifier-fixture.ts';

let told: TestNotifier;
afterEach(() => told.stop());

describe.each(DRIVERS)('with a backlog on %s', (driver) => {
  test('the notification of a failed job overtakes those of completed ones', async () => {
    told = await startNotifying({ driver, notifier: false });
    const { key } = await told.api.addUser();
    const target = `${told.receiver.url}/ordered`;
    await told.subscribe({ events: ['job.completed', 'job.failed'], channel: 'webhook', target }, key);
    const ordinary = 200;
    for (let index = 0; index < ordinary; index += 1) await told.end('completed', {}, key);
    await told.end('failed', {}, key);
    // A relay that repeats messages makes one longer than it is; the other shows that the failed
    // job is in it.
    const relayed = async () =>
      (await told.queue.depth('job_notifications')) > ordinary &&
      (await told.queue.depth('urgent_notifications')) > 0;
    await waitFor(relayed, { what: 'the backlog' });
    await told.startNotifier();
    await waitFor(() => told.receiver.requests.length > ordinary, { what: 'all to be told' });
    const types = told.receiver.requests.map(({ body }) => JSON.parse(String(body)).type);
    // Only what is in the broker's window and with the notifier is before it.
    expect(types.indexOf('job.failed')).toBeLessThan(80);
    expect(types.filter((type) => type === 'job.failed')).toHaveLength(1);
  });
});

test('a failed job passes notifications to a slow host', async () => {
  told = await startNotifying({ notify: { concurrency: 8 } });
  const { key } = await told.api.addUser();
  told.receiver.answer({ status: 200, afterMs: 1100 });
  const target = `${told.receiver.url}/slow`;
  await told.subscribe({ events: ['job.completed', 'job.failed'], channel: 'webhook', target }, key);
  const ordinary = 48;
  for (let index = 0; index < ordinary; index += 1) await told.end('completed', {}, key);
  // Eight at once until it is known to be slow, then four.
  await waitFor(() => told.receiver.requests.length > 8, { what: 'the first to be told' });
  await told.end('failed', {}, key);
  await waitFor(() => told.receiver.requests.length > ordinary, { what: 'all to be told' });
  const types = told.receiver.requests.map(({ body }) => JSON.parse(String(body)).type);
  expect(types.indexOf('job.failed')).toBeLessThan(ordinary / 2);
});

test('a host that is down gets no requests, and its notifications are sent when it is back, with all attempts left', async () => {
  told = await startNotifying({ notify: { webhookAttempts: 12 } });
  const { key } = await told.api.addUser();
  const down = { status: 503 };
  told.receiver.answer(down);
  const target = `${told.receiver.url}/down`;
  const { webhook_id } = await told.subscribe({ events: ['job.completed'], channel: 'webhook', target }, key);
  for (let index = 0; index < 20; index += 1) await told.end('completed', {}, key);
  const deliveries = async () => (await told.get(`/webhooks/${webhook_id}/deliveries`, key)).json.deliveries;
  const isLeftAlone = async () =>
    (await deliveries()).filter(
      ({ error }: { error: { code: string } | null }) => error?.code === 'circuit_open',
    ).length >= 10;
  await waitFor(isLeftAlone, { what: 'the circuit to open' });
  // Five failures opened the circuit; requests in flight at that moment came on top.
  expect(told.receiver.requests.length).toBeLessThan(20);
  told.receiver.answer({ status: 200 });
  await waitFor(
    async () => (await deliveries()).every(({ status }: { status: string }) => status === 'delivered'),
    {
      what: 'all to arrive',
    },
  );
  expect(await deliveries()).toHaveLength(20);
});

test('a notifier that is stopped returns what it cannot finish, without counting the attempt', async () => {
  told = await startNotifying({ notifier: false, graceMs: 200, leaseMs: 60_000 });
  const { key } = await told.api.addUser();
  told.receiver.answer({ status: 200, hang: true });
  const target = `${told.receiver.url}/hangs`;
  const { webhook_id } = await told.subscribe({ events: ['job.completed'], channel: 'webhook', target }, key);
  await told.end('completed', {}, key);
  const notifier = await told.startNotifier();
  await waitFor(() => told.receiver.requests.length === 1, { what: 'the message to be under way' });
  await notifier.stop();
  const deliveries = async () => (await told.get(`/webhooks/${webhook_id}/deliveries`, key)).json.deliveries;
  expect(await deliveries()).toMatchObject([{ status: 'queued', error: { code: 'released' }, attempts: [] }]);
  told.receiver.answer({ status: 200 });
  await told.startNotifier();
  await told.settled();
  expect(await deliveries()).toMatchObject([{ status: 'delivered', attempts: [{ status: 200 }] }]);
  const ids = told.receiver.requests.map(({ headers }) => headers['webhook-id']);
  expect(ids).toEqual([ids[0], ids[0]]);
});
