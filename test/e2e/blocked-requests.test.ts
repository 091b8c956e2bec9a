import { type Fleet, startFleet } from '../support/processes/fleet.ts';
import { waitFor } from '../support/wait-for.ts';

/**
 * Blocked requests are hidden from users and counted for the operator: over all processes, ended
 * ones included.
 */

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ driver: 'embedded', workers: 1 });
});
afterAll(() => fleet?.stop());

async function blockedRequests(): Promise<Record<string, number>> {
  const text = await (await fleet.client.request('GET', '/metrics')).text();
  const lines = text.matchAll(/^leadengine_egress_refused_total\{reason="(.+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, reason, count]) => [reason, Number(count)]));
}

test('requests of jobs and webhooks that the egress policy blocks are counted by reason, over all processes', async () => {
  await fleet.startNotifier();
  expect(await blockedRequests()).toEqual({});
  const id = await fleet.client.post({
    urls: ['http://10.0.0.1/', 'http://169.254.169.254/latest/meta-data/'],
    webhook_url: 'http://100.64.0.1/hook',
    max_attempts: 1,
  });
  await fleet.client.until(id, 'completed', 'failed');
  expect((await fleet.client.pages(id)).map(({ error }) => (error as { code: string }).code)).toEqual([
    'egress_refused',
    'egress_refused',
  ]);
  await fleet.workers[0]?.stop();
  const reasons = ['carrierGradeNat', 'linkLocal', 'private'];
  await waitFor(
    async () =>
      Object.keys(await blockedRequests())
        .sort()
        .join() === reasons.join(),
    {
      timeoutMs: 60_000,
      what: 'the counts',
    },
  );
});
