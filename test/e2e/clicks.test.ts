import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createClient, type Driver, type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type RunningProcess, startProcess } from '../support/processes/processes.ts';
import { type PrivateBroker, startRabbitmq } from '../support/servers/rabbitmq.mjs';
import { startTcpProxy, type TcpProxy, through } from '../support/servers/tcp-proxy.ts';
import { waitFor } from '../support/wait-for.ts';

/**
 * Clicks continue while each service behind them fails in rotation: no redirect fails, and in the
 * end each click counts once. `CLICKS=100000 node scripts/jest.mjs --testPathPatterns
 * test/e2e/clicks` sends that many; with `AWAY_SECONDS=300` the database is away for five minutes.
 */
const CLICKS = Number(process.env.CLICKS ?? 2000);
const AWAY_MS = Number(process.env.AWAY_SECONDS ?? 3) * 1000;
const CONCURRENCY = 16;
const LONGEST_MS = 180_000 + CLICKS * 10;
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

let agent: Agent;
beforeEach(() => {
  agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
});
afterEach(() => agent.destroy());

/** Follows a link that many times; returns the statuses other than 302. */
async function click(url: string, code: string, count: number): Promise<number[]> {
  const wrong: number[] = [];
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const status = await statusOf(`${url}/r/${code}`);
      if (status !== 302) wrong.push(status);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return wrong;
}

const statusOf = (url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    get(url, { agent, headers: { 'user-agent': FIREFOX } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    }).on('error', reject);
  });

/** A value of the API's metrics. */
async function metric(url: string, line: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = text.split('\n').find((candidate) => candidate.startsWith(`${line} `));
  return Number(found?.slice(line.length));
}

const DRIVERS: Driver[] = ['rabbitmq', 'embedded'];

describe.each(DRIVERS)('clicks on %s', (driver) => {
  let broker: PrivateBroker | undefined;
  let database: TestDatabase;
  let proxy: TcpProxy;
  let fleet: Fleet;
  let url: string;
  let code: string;

  beforeEach(async () => {
    broker = driver === 'rabbitmq' ? await startRabbitmq() : undefined;
    database = await createTestDatabase();
    const { hostname, port } = new URL(database.url);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    fleet = await startFleet({
      driver,
      workers: 0,
      databaseUrl: through(proxy, database.url),
      ...(broker ? { rabbitmqUrl: broker.url } : {}),
    });
    url = fleet.api.ready.url ?? '';
    const made = await fleet.client.request('POST', '/api/v1/links', { url: 'https://example.com/' });
    code = ((await made.json()) as { code: string }).code;
  });
  afterEach(async () => {
    await fleet.stop();
    await proxy.close();
    await database.drop();
    await broker?.close();
  });

  const counted = async (at = url): Promise<number> => {
    const answer = await createClient(at).request('GET', `/api/v1/links/${code}/stats`);
    return ((await answer.json()) as { total_clicks: number }).total_clicks;
  };
  const untilCounted = (total: number, at = url) =>
    waitFor(async () => (await counted(at)) >= total, { timeoutMs: LONGEST_MS, what: `${total} clicks` });

  test(
    'are all counted, once, whatever went away meanwhile',
    async () => {
      const part = Math.floor(CLICKS / 4);
      const killed = await fleet.startAnalytics();
      expect(await click(url, code, part)).toEqual([]);

      // No analytics process runs; a killed one leaves its unacknowledged messages to the next.
      await killed.kill();
      expect(await click(url, code, part)).toEqual([]);
      const analytics = await fleet.startAnalytics();

      // The database is away: neither cached links nor their visitors notice.
      proxy.cut();
      expect(await click(url, code, part)).toEqual([]);
      expect((await fleet.client.request('GET', '/health/ready')).status).toBe(503);
      proxy.restore();

      // The broker is away.
      await broker?.stop();
      expect(await click(url, code, part)).toEqual([]);
      await broker?.start();

      await untilCounted(4 * part);
      // Messages delivered twice are held by a consumer until it stops.
      expect(await analytics.stop()).toBe(0);
      expect(await counted()).toBe(4 * part);
      expect(await metric(url, 'leadengine_clicks_total{outcome="dropped"}')).toBe(0);
      expect(await metric(url, 'leadengine_pending_clicks')).toBe(0);
    },
    LONGEST_MS,
  );

  test(
    'are answered and kept for as long as the database is away',
    async () => {
      const analytics = await fleet.startAnalytics();
      expect(await click(url, code, 1)).toEqual([]);
      await untilCounted(1);

      proxy.cut();
      let total = 1;
      for (const end = performance.now() + AWAY_MS; performance.now() < end; await sleep(250)) {
        expect(await click(url, code, 25)).toEqual([]);
        total += 25;
      }
      proxy.restore();

      await untilCounted(total);
      expect(await analytics.stop()).toBe(0);
      expect(await counted()).toBe(total);
      expect(await metric(url, 'leadengine_clicks_total{outcome="dropped"}')).toBe(0);
    },
    AWAY_MS + LONGEST_MS,
  );

  test('clicks spooled to disk outlive the process that wrote them', async () => {
    expect(await click(url, code, 1)).toEqual([]);
    await waitFor(async () => (await metric(url, 'leadengine_clicks_total{outcome="published"}')) === 1, {
      what: 'the first click to be published',
    });
    if (broker) await broker.stop();
    else proxy.cut();
    expect(await click(url, code, 200)).toEqual([]);
    await waitFor(async () => (await metric(url, 'leadengine_pending_clicks')) === 0, {
      what: 'all of them to be on the disk',
    });
    await fleet.api.kill();
    if (broker) await broker.start();
    else proxy.restore();
    const next: RunningProcess = await startProcess('api/main.js', fleet.env);
    await fleet.startAnalytics();
    await untilCounted(201, next.ready.url);
    expect(await counted(next.ready.url)).toBe(201);
    await next.kill();
  });

  // An embedded queue is a table: it cannot break by itself. The messages of this one exist nowhere
  // else, so only an operator may delete it.
  if (driver === 'rabbitmq') {
    test('clicks are spooled to disk while their queue is broken, and everything else works', async () => {
      const analytics = await fleet.startAnalytics();
      expect(await click(url, code, 10)).toEqual([]);
      await untilCounted(10);

      await broker?.breakQueue('link_clicks');
      expect(await click(url, code, 50)).toEqual([]);
      await waitFor(async () => (await metric(url, 'leadengine_clicks_total{outcome="spooled"}')) >= 50, {
        what: 'the clicks to be on the disk',
      });
      // Jobs use the same connection.
      for (let job = 0; job < 3; job += 1) await fleet.client.post({ urls: ['https://example.com/'] });
      const jobsQueued = async () => {
        const listing = await broker?.ctl('list_queues', 'name', 'messages', '--quiet');
        // A second wake-up message is harmless.
        return Number(/^scrape_jobs\s+(\d+)/m.exec(listing ?? '')?.[1]) >= 3;
      };
      await waitFor(jobsQueued, { what: 'the jobs to be on the queue' });

      // The procedure of docs/operations.md. Until the queue is declared again there is none, and
      // no click may be routed to it.
      await broker?.ctl('delete_queue', 'link_clicks');
      expect(await click(url, code, 10)).toEqual([]);
      await waitFor(() => fleet.api.output().includes('no queue takes it'), {
        what: 'clicks to be sent and come back',
      });
      await analytics.stop();
      const next = await fleet.startAnalytics();
      await untilCounted(70);
      expect(await next.stop()).toBe(0);
      expect(await counted()).toBe(70);
      expect(await metric(url, 'leadengine_clicks_total{outcome="dropped"}')).toBe(0);
    });
  }
});
