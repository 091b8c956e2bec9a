import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { settle } from '../../core/job-state.ts';
import { connect, type Database } from '../../db/connect.ts';
import { claimJobs } from '../../db/jobs/claim.ts';
import { settleJobs } from '../../db/jobs/settle.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Client, createClient, DRIVERS, type Fleet, startFleet } from '../support/fleet.ts';
import { type Mailbox, startMailbox } from '../support/mailbox.ts';
import { type RunningProcess, startProcess } from '../support/processes.ts';
import { type PrivateBroker, startRabbitmq } from '../support/rabbitmq.mjs';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { waitFor } from '../support/wait-for.ts';

/**
 * Notifier, API and broker are killed in turn under a load of job events: everybody is told of everything all the same. In the app
 * once; by webhook at least once, under one id; by mail once for each `Message-ID`, and no more copies than there were kills, because
 * whoever kills a mailer between the server's "250" and its own commit cannot have both none missing and none twice.
 */

const JOBS_EACH = 60;
/** Each told of every one of their jobs, on every channel. */
const USERS = 3;

interface Subscriber {
  client: Client;
  key: string;
  address: string;
  path: string;
  jobs: string[];
}

let mailbox: Mailbox;
let receiver: Receiver;
beforeAll(async () => {
  [mailbox, receiver] = await Promise.all([startMailbox(), startReceiver()]);
});
afterAll(() => Promise.all([mailbox.close(), receiver.close()]));

describe.each(DRIVERS)('killed in turn on %s', (driver) => {
  let broker: PrivateBroker | undefined;
  let testDatabase: TestDatabase;
  let database: Database;
  let fleet: Fleet;
  beforeAll(async () => {
    broker = driver === 'rabbitmq' ? await startRabbitmq() : undefined;
    testDatabase = await createTestDatabase();
    const options = { poolSize: 3, applicationName: 'notifications-test', logger: silentLogger };
    database = connect({ ...options, url: testDatabase.url });
    fleet = await startFleet({
      driver,
      workers: 0,
      databaseUrl: testDatabase.url,
      ...(broker ? { rabbitmqUrl: broker.url } : {}),
      env: {
        SMTP_URL: mailbox.url,
        EMAIL_DIGEST_SECONDS: '0',
        LEASE_MS: '3000',
        NOTIFY_MAX_ATTEMPTS: '50',
        NOTIFY_RETRY_BASE_MS: '100',
        WEBHOOK_MAX_ATTEMPTS: '50',
        WEBHOOK_RETRY_BASE_MS: '100',
      },
    });
  });
  afterAll(async () => {
    await fleet.stop();
    await database.stop();
    await testDatabase.drop();
    await broker?.close();
  });

  test('nobody misses anything', async () => {
    let api: RunningProcess = fleet.api;
    let notifier = await fleet.startNotifier();
    // One receiver in twenty answers falls over.
    let requests = 0;
    receiver.answer(() => ({ status: (requests++ % 20) + 1 === 20 ? 500 : 204 }));
    const subscribers = await Promise.all(
      Array.from({ length: USERS }, (_, index) => subscribe(`${driver}-${index}`)),
    );
    let kills = 0;
    const restartNotifier = async () => {
      await notifier.kill();
      kills += 1;
      notifier = await fleet.startNotifier();
    };

    await endJobs(subscribers, 0, 20);
    await restartNotifier();
    await endJobs(subscribers, 20, 30);
    await api.kill();
    // The sweeps were in that API process: what happens now waits for the next one.
    await endJobs(subscribers, 30, 35);
    api = await startProcess('api/main.js', fleet.env);
    for (const subscriber of subscribers) {
      subscriber.client = createClient(api.ready.url ?? '', subscriber.key);
    }
    await restartNotifier();
    if (broker) {
      await broker.stop();
      await endJobs(subscribers, 35, 45);
      // In the app at once; the other channels follow when the broker is back.
      for (const subscriber of subscribers) {
        await waitFor(async () => (await inApp(subscriber)).length >= 45, {
          what: 'the app without a broker',
        });
      }
      await broker.start();
    }
    await endJobs(subscribers, broker ? 45 : 35, JOBS_EACH);
    expect(await notifier.stop()).toBe(0);
    notifier = await fleet.startNotifier();

    for (const subscriber of subscribers) {
      await waitFor(async () => (await inApp(subscriber)).length === JOBS_EACH, { what: 'all in the app' });
      await waitFor(() => new Set(mailedJobs(subscriber)).size === JOBS_EACH, {
        what: 'all mails',
        timeoutMs: 90_000,
      });
      await waitFor(() => postedJobs(subscriber).size === JOBS_EACH, {
        what: 'all webhooks',
        timeoutMs: 90_000,
      });
    }
    let copies = 0;
    for (const subscriber of subscribers) {
      const jobs = [...subscriber.jobs].sort();
      expect((await inApp(subscriber)).sort()).toEqual(jobs);
      expect(mailedJobs(subscriber).sort()).toEqual(jobs);
      const posted = postedJobs(subscriber);
      expect([...posted.keys()].sort()).toEqual(jobs);
      for (const ids of posted.values()) expect(ids.size).toBe(1);
      copies += mails(subscriber).length - new Set(mails(subscriber).map(({ messageId }) => messageId)).size;
    }
    expect(copies).toBeLessThanOrEqual(kills);
    const admin = createClient(api.ready.url ?? '');
    const dead = await admin.request('GET', '/api/v1/dead-letters');
    const letters = ((await dead.json()) as { dead_letters: { queue: string }[] }).dead_letters;
    expect(letters.filter(({ queue }) => queue !== 'scrape_jobs')).toEqual([]);
    await api.kill();
  });

  async function subscribe(name: string): Promise<Subscriber> {
    const post = async (path: string, body: unknown, key?: string) => {
      const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
      const response = await fleet.client.request('POST', `/api/v1${path}`, body, headers);
      expect(response.status).toBe(201);
      return (await response.json()) as Record<string, string>;
    };
    const address = `${name}@example.com`;
    const { id } = await post('/users', { email: address, name });
    const { key = '' } = await post('/keys', { name, user_id: id });
    const events = ['job.completed', 'job.failed'];
    const path = `/${name}`;
    await post('/subscriptions', { events, channel: 'in_app' }, key);
    await post('/subscriptions', { events, channel: 'email' }, key);
    await post('/subscriptions', { events, channel: 'webhook', target: `${receiver.url}${path}` }, key);
    const client = createClient(fleet.api.ready.url ?? '', key);
    const specs = Array.from({ length: JOBS_EACH }, () => ({ urls: ['https://example.com/'] }));
    return { client, key, address, path, jobs: await client.postBatch(specs) };
  }

  /** As workers would, some of the jobs with an error. */
  async function endJobs(subscribers: Subscriber[], from: number, to: number): Promise<void> {
    const worker = { id: 'worker-of-the-test', leaseMs: 60_000 };
    for (const { jobs } of subscribers) {
      const ids = jobs.slice(from, to);
      const claims = await claimJobs(
        database,
        worker,
        ids.map((id) => ({ id, attempt: 0 })),
      );
      const settlements = claims.map((claim, index) => {
        if (claim.kind !== 'claimed') throw new Error(`a job was ${claim.kind}`);
        const error = { code: 'dns_failed', message: 'no such host' };
        const outcome =
          index % 5 === 0 ? ({ kind: 'fail', error } as const) : ({ kind: 'completed' } as const);
        return { run: claim.job, transition: settle(claim.job, outcome, { baseMs: 1, capMs: 1 }, 0) };
      });
      expect(await settleJobs(database, settlements)).toEqual(ids.map(() => true));
    }
  }

  async function inApp({ client }: Subscriber): Promise<string[]> {
    const response = await client.request('GET', '/api/v1/notifications?limit=200');
    const { notifications } = (await response.json()) as { notifications: { job_id: string }[] };
    return notifications.map(({ job_id }) => job_id);
  }

  const mails = ({ address }: Subscriber) => mailbox.mails.filter((mail) => mail.to_address === address);

  /** As a mail system that keeps one of each `Message-ID`. */
  function mailedJobs(subscriber: Subscriber): string[] {
    const kept = new Map(mails(subscriber).map((mail) => [mail.messageId, mail.text ?? '']));
    return [...kept.values()].flatMap((text) =>
      [...text.matchAll(/\/jobs\/([0-9a-f-]{36})/g)].map(([, id]) => String(id)),
    );
  }

  /** The ids under which each job was told. */
  function postedJobs({ path }: Subscriber): Map<string, Set<string>> {
    const posted = new Map<string, Set<string>>();
    for (const request of receiver.requests.filter((seen) => seen.path === path)) {
      const { data } = JSON.parse(String(request.body)) as { data: { job_id: string } };
      const ids = posted.get(data.job_id) ?? new Set();
      posted.set(data.job_id, ids.add(String(request.headers['webhook-id'])));
    }
    return posted;
  }
});
