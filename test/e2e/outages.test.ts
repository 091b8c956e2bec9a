import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { DRIVERS, type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type PrivateBroker, startRabbitmq } from '../support/servers/rabbitmq.mjs';
import { type Site, startSite } from '../support/servers/site.ts';
import { startTcpProxy, type TcpProxy, through } from '../support/servers/tcp-proxy.ts';
import { waitFor } from '../support/wait-for.ts';

interface Consumer {
  queue_name: string;
  prefetch_count: number;
  ack_required: boolean;
}

/**
 * The database or the broker fails under load and comes back: no accepted job is lost or done
 * twice.
 */

let site: Site;
beforeAll(async () => {
  site = await startSite({ pages: { '/page': '<title>A page</title><p>Some text.</p>' } });
});
afterAll(() => site.close());

const page = () => ({ urls: [`${site.url}/page`] });

describe('RabbitMQ fails', () => {
  let broker: PrivateBroker;
  let fleet: Fleet;
  beforeAll(async () => {
    broker = await startRabbitmq();
  });
  afterAll(() => broker.close());
  beforeEach(async () => {
    fleet = await startFleet({ driver: 'rabbitmq', workers: 2, rabbitmqUrl: broker.url });
  });
  afterEach(() => fleet.stop());

  const brokerHealth = async () =>
    (await (await fleet.client.request('GET', '/health/rabbitmq')).json()) as { status: string };

  test('POST still answers 202, the status is correct, and every job completes once it is back', async () => {
    const { client } = fleet;
    const before = await client.postBatch(Array.from({ length: 20 }, page));
    await broker.stop();
    await waitFor(async () => (await brokerHealth()).status === 'unhealthy', {
      what: 'the outage to be known',
    });
    const during = await Promise.all(Array.from({ length: 20 }, () => client.post(page())));
    for (const id of during) expect((await client.job(id)).status).toBe('queued');
    expect((await client.request('GET', '/health/ready')).status).toBe(200);
    await broker.start();
    const jobs = await client.untilAll([...before, ...during], 'completed', 'failed');
    expect(jobs.every(({ status }) => status === 'completed')).toBe(true);
    // A restart of the broker redelivers everything; that must not cost a healthy run its attempt.
    expect(jobs.every(({ attempts }) => attempts.length === 1)).toBe(true);
    expect((await brokerHealth()).status).toBe('healthy');
  });

  test('a queue purged by mistake is refilled from Postgres', async () => {
    const { client, workers } = fleet;
    // There is no consumer: the messages stay on the queue that is purged.
    await Promise.all(workers.map((worker) => worker.stop()));
    const ids = await client.postBatch(Array.from({ length: 8 }, page));
    // As many as the dispatch window holds without workers.
    await waitFor(async () => (await queued()) >= 4, { what: 'jobs to be on the queue' });
    await broker.ctl('purge_queue', 'scrape_jobs');
    await fleet.startWorker();
    await client.untilAll(ids, 'completed');
  });

  async function queued(): Promise<number> {
    const listing = await broker.ctl('list_queues', 'name', 'messages', '--quiet');
    return Number(/^scrape_jobs\s+(\d+)/m.exec(listing)?.[1] ?? 0);
  }

  test('the work queue is durable, its messages persistent, and each worker holds one at a time', async () => {
    const queues = await broker.ctl('list_queues', 'name', 'durable', 'auto_delete', 'type', '--quiet');
    expect(queues).toMatch(/^scrape_jobs\s+true\s+false\s+.*quorum/m);
    expect(queues).toMatch(/^failed_jobs\s+true/m);
    const consumers = JSON.parse(await broker.ctl('list_consumers', '--formatter', 'json')) as Consumer[];
    const ofJobs = consumers.filter(({ queue_name }) => queue_name === 'scrape_jobs');
    expect(ofJobs.map(({ prefetch_count, ack_required }) => [prefetch_count, ack_required])).toEqual([
      [1, true],
      [1, true],
    ]);
    const exchanges = await broker.ctl('list_exchanges', 'name', 'type', 'durable', '--quiet');
    for (const name of ['user_events', 'job_events', 'lead_events', 'link_events', 'notifications']) {
      expect(exchanges).toMatch(new RegExp(`^${name}\\s+topic\\s+true`, 'm'));
    }
  });

  test('a failed job arrives in the dead letters with its error', async () => {
    const id = await fleet.client.post({ industry: 'dentists', source_types: ['directory'] });
    await fleet.client.until(id, 'failed');
    const dead = async () =>
      /^failed_jobs\s+1$/m.test(await broker.ctl('list_queues', 'name', 'messages', '--quiet'));
    await waitFor(dead, { what: 'the dead letter', everyMs: 500 });
  });
});

describe.each(DRIVERS)('Postgres fails under workers on %s', (driver) => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let fleet: Fleet;
  beforeEach(async () => {
    database = await createTestDatabase();
    const { hostname, port } = new URL(database.url);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    fleet = await startFleet({ driver, workers: 2, databaseUrl: through(proxy, database.url) });
  });
  afterEach(async () => {
    await fleet.stop();
    await proxy.close();
    await database.drop();
  });

  test('POST answers 503 with Retry-After, and no accepted job is lost', async () => {
    const { client } = fleet;
    const ids = await client.postBatch(Array.from({ length: 60 }, page));
    await waitFor(() => fleet.workers.some((worker) => worker.logged('job_settled').length > 0), {
      what: 'work to be under way',
    });
    proxy.cut();
    const refused = await client.request('POST', '/jobs/scrape', page());
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect((await client.request('GET', '/health/ready')).status).toBe(503);
    expect((await client.request('GET', '/health/live')).status).toBe(200);
    proxy.restore();
    const accepted = async () => (await client.request('GET', '/health/ready')).status === 200;
    await waitFor(accepted, { what: 'the API to be ready again' });
    const jobs = await client.untilAll(ids, 'completed', 'failed');
    expect(jobs.every(({ status, counts }) => status === 'completed' && counts.pages === 1)).toBe(true);
    expect(fleet.workers.every(({ pid }) => process.kill(pid, 0))).toBe(true);
  });
});
