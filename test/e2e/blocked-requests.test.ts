import type { ServerResponse } from 'node:http';
import { type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type Site, startSite } from '../support/servers/site.ts';
import { waitFor } from '../support/wait-for.ts';

/**
 * Blocked requests are hidden from users and counted for the operator: over all processes, ended
 * ones included.
 */

const HOOK = '100.64.0.1';
let fleet: Fleet;
let site: Site;
beforeAll(async () => {
  const leadsTo = (location: string) => (_: unknown, response: ServerResponse) =>
    void response.writeHead(302, { location }).end();
  site = await startSite({
    pages: {
      '/private': leadsTo('http://10.0.0.1/'),
      '/metadata': leadsTo('http://169.254.169.254/latest/meta-data/'),
    },
  });
  // The notifier allows less than the API, which else would refuse the webhook itself.
  fleet = await startFleet({ driver: 'embedded', workers: 1, env: { EGRESS_ALLOW: `127.0.0.1,${HOOK}` } });
});
afterAll(async () => {
  await fleet?.stop();
  await site?.close();
});

async function blockedRequests(): Promise<Record<string, number>> {
  const text = await (await fleet.client.request('GET', '/metrics')).text();
  const lines = text.matchAll(/^leadengine_egress_refused_total\{reason="(.+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, reason, count]) => [reason, Number(count)]));
}

test('requests of jobs and webhooks that the egress policy blocks are counted by reason, over all processes', async () => {
  await fleet.startNotifier({ EGRESS_ALLOW: '127.0.0.1' });
  expect(await blockedRequests()).toEqual({});
  const id = await fleet.client.post({
    urls: [`${site.url}/private`, `${site.url}/metadata`],
    webhook_url: `http://${HOOK}/hook`,
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
