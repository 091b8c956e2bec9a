import { createTestDatabase } from '../support/database.ts';
import { startFleet } from '../support/fleet.ts';
import { startRabbitmq } from '../support/rabbitmq.mjs';
import { waitFor } from '../support/wait-for.ts';

/** As after some crashes of the broker. What is in this queue is nowhere else, so only an operator may delete it. */
test('while the queue of clicks is broken they are kept on the disk, and all else goes on', async () => {
  const broker = await startRabbitmq();
  const database = await createTestDatabase();
  const fleet = await startFleet({
    driver: 'rabbitmq',
    workers: 0,
    databaseUrl: database.url,
    rabbitmqUrl: broker.url,
  });
  try {
    const url = fleet.api.ready.url ?? '';
    const { client } = fleet;
    const made = await client.request('POST', '/api/v1/links', { url: 'https://example.com/' });
    const { code } = (await made.json()) as { code: string };
    const follow = async (times: number) => {
      for (let click = 0; click < times; click += 1) {
        const { status } = await fetch(`${url}/r/${code}`, { redirect: 'manual', headers: FIREFOX });
        expect(status).toBe(302);
      }
    };
    const figure = async (line: string) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(new RegExp(`^${line.replace(/[{}]/g, '\\$&')} (\\d+)$`, 'm').exec(text)?.[1]);
    };
    const kept = () => figure('leadengine_clicks_pending{where="disk_bytes"}');
    const counted = async () => {
      const answer = await client.request('GET', `/api/v1/links/${code}/stats`);
      return ((await answer.json()) as { total_clicks: number }).total_clicks;
    };

    const analytics = await fleet.startAnalytics();
    await follow(10);
    await waitFor(async () => (await counted()) === 10, { what: 'the first clicks to be counted' });

    await broker.ctl('eval', "ra:stop_server(quorum_queues, {'%2F_link_clicks', node()}).");
    await follow(50);
    await waitFor(async () => (await kept()) > 0, { what: 'the clicks to be on the disk' });
    // Jobs go over the same connection.
    for (let job = 0; job < 3; job += 1) await client.post({ urls: ['https://example.com/'] });
    const jobsQueued = async () => {
      const listing = await broker.ctl('list_queues', 'name', 'messages', '--quiet');
      // A second ring is harmless.
      return Number(/^scrape_jobs\s+(\d+)/m.exec(listing)?.[1]) >= 3;
    };
    await waitFor(jobsQueued, { what: 'the jobs to be on the queue' });

    // What docs/operations.md says to do. Until the queue is declared again there is none, and no click may go there.
    await broker.ctl('delete_queue', 'link_clicks');
    await follow(10);
    await analytics.stop();
    const next = await fleet.startAnalytics();
    await waitFor(async () => (await counted()) >= 70, { what: 'all to be counted' });
    await next.stop();
    expect(await counted()).toBe(70);
    expect(await figure('leadengine_clicks_total{outcome="dropped"}')).toBe(0);
  } finally {
    await fleet.stop();
    await database.drop();
    await broker.close();
  }
}, 240_000);

const FIREFOX = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };
