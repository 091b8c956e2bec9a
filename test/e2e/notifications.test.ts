import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { settle } from '../../core/jobs/job-state.ts';
import { connect, type Database } from '../../db/connect.ts';
import { claimJobs } from '../../db/jobs/claim.ts';
import { settleJobs } from '../../db/jobs/settle.ts';
import { silentLogger } from '../../runtime/log/logger.ts';
import { auditNotifications, type Way } from '../chaos/audit/audit-notifications.ts';
import { readNotificationSnapshot } from '../chaos/audit/notification-snapshot.ts';
import { type RegisteredSubscriber, type Subscribers, startSubscribers } from '../chaos/load/subscribers.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createClient, DRIVERS, type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type RunningProcess, startProcess } from '../support/processes/processes.ts';
import { type PrivateBroker, startRabbitmq } from '../support/servers/rabbitmq.mjs';
import { waitFor } from '../support/wait-for.ts';

/**
 * Notifier, API and broker are killed in rotation under a load of job events: every subscriber gets
 * every notification all the same, as docs/notifications.md promises. The short version of `npm run
 * chaos -- --notifications 10000`, with the same subscribers and auditor.
 */

const JOBS_EACH = 60;
/** Each is notified of all of their jobs, on every channel. */
const USERS = 3;

interface Member {
  listener: RegisteredSubscriber;
  jobs: string[];
}

describe.each(DRIVERS)('kills in rotation on %s', (driver) => {
  let subscribers: Subscribers;
  let broker: PrivateBroker | undefined;
  let testDatabase: TestDatabase;
  let database: Database;
  let fleet: Fleet;
  beforeAll(async () => {
    subscribers = await startSubscribers();
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
        ...subscribers.env,
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
    await subscribers.close();
  });

  test('no subscriber misses a notification', async () => {
    let api: RunningProcess = fleet.api;
    const apiUrl = () => api.ready.url ?? '';
    let notifier = await fleet.startNotifier();
    const members: Member[] = [];
    for (let user = 0; user < USERS; user += 1) members.push(await join(`user-${user}`, apiUrl()));
    const notifierKills: number[] = [];
    const restartNotifier = async () => {
      notifierKills.push(Date.now());
      await notifier.kill();
      notifier = await fleet.startNotifier();
    };
    const judge = async () => {
      const [snapshot, receipts] = await Promise.all([
        readNotificationSnapshot(testDatabase.url, subscribers.list),
        subscribers.receipts(apiUrl()),
      ]);
      return auditNotifications({ ...snapshot, receipts, notifierKills });
    };
    const missing = async (...ways: Way[]) =>
      (await judge()).tallies.filter(({ way, missing }) => missing > 0 && (!ways[0] || ways.includes(way)));
    const untilNotified = (what: string, ...ways: Way[]) =>
      waitFor(async () => (await missing(...ways)).length === 0, { what, everyMs: 250, timeoutMs: 120_000 });

    await endJobs(members, 0, 20);
    await restartNotifier();
    await endJobs(members, 20, 30);
    await api.kill();
    // The scheduler ran in that API process: what happens now waits for the next leader.
    await endJobs(members, 30, 35);
    api = await startProcess('api/main.js', fleet.env);
    await restartNotifier();
    if (broker) {
      await broker.stop();
      await endJobs(members, 35, 45);
      // In the app at once; the other channels follow when the broker is back.
      await untilNotified('in-app notifications without a broker', 'in_app');
      await broker.start();
    }
    await endJobs(members, broker ? 45 : 35, JOBS_EACH);
    expect(await notifier.stop()).toBe(0);
    notifier = await fleet.startNotifier();

    await untilNotified('all notifications');
    const admin = createClient(apiUrl());
    await waitFor(isAtRest, { what: 'nothing to be under way', everyMs: 250 });
    const { tallies, violations } = await judge();
    expect(violations).toEqual([]);
    // Of every job: created, started and ended.
    const each = USERS * JOBS_EACH;
    const expected = Object.fromEntries(tallies.map((tally) => [tally.way, tally.expected]));
    expect(expected).toEqual({
      ...{ in_app: 2 * each, email: each, push: each, webhook: 3 * each, job_webhook: each },
    });
    const dead = await admin.request('GET', '/api/v1/dead-letters');
    const letters = ((await dead.json()) as { dead_letters: { queue: string }[] }).dead_letters;
    expect(letters.filter(({ queue }) => queue !== 'scrape_jobs')).toEqual([]);
    await api.kill();
  });

  async function isAtRest(): Promise<boolean> {
    const { undelivered } = await readNotificationSnapshot(testDatabase.url, subscribers.list);
    return undelivered.length === 0;
  }

  async function join(name: string, apiUrl: string): Promise<Member> {
    const listener = await subscribers.join(name, apiUrl, fleet.env.BOOTSTRAP_API_KEY ?? '');
    const spec = { urls: ['https://example.com/'], webhook_url: listener.jobWebhookUrl };
    const client = createClient(apiUrl, listener.key);
    return { listener, jobs: await client.postBatch(Array.from({ length: JOBS_EACH }, () => spec)) };
  }

  /** As workers would, some of the jobs with an error. */
  async function endJobs(members: Member[], from: number, to: number): Promise<void> {
    const worker = { id: 'worker-of-the-test', leaseMs: 60_000 };
    for (const { jobs } of members) {
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
});
