import { createECDH, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel } from '../../core/notifications/notification.ts';
import { createSubscription, type PushTarget } from '../../db/notifications/subscriptions.ts';
import { ensureWebhook } from '../../db/notifications/webhooks.ts';
import { statement } from '../../db/statement.ts';
import {
  type Bench,
  DRIVERS,
  type Driver,
  startApi,
  startCeilings,
  startNotifier,
  startReceivers,
  withChildren,
} from '../bench.ts';
import type { Child } from '../child.ts';
import { interleave, median, now } from '../measure.ts';
import { createScratch, insertJobs, type Scratch } from '../scratch.ts';
import { purgeQueue } from '../window.ts';

const PART = 'notifications';
const LONGEST_MS = 60_000;
/**
 * Notifications per user. In the app, a backlog of events meets the fan-out alone; the other
 * channels wait for a receiver.
 */
const COUNTS: Record<Channel, number> = { in_app: 10_000, webhook: 3000, push: 3000, email: 3000 };

/**
 * Notifications per second, from events in the ledger to the user: the API's relay and one notifier
 * process, as installed. Beside what a bare consumer gets out of the same broker, publishes
 * confirmed, in the same rounds.
 */
export async function measureNotifications(bench: Bench): Promise<void> {
  const { options } = bench;
  const scratch = await createScratch(bench.services);
  await withChildren(async (keep) => {
    const ceilings = await keep(startCeilings(bench, scratch.url));
    const receivers = await keep(startReceivers(bench));
    const { smtp } = await receivers.call<{ smtp: string }>('addresses');
    const targets = { http: receivers.ready.url ?? '', smtp };
    for (const driver of DRIVERS) {
      const { ceiling, inApp } = await interleave(options.rounds, {
        ceiling: () => carried(ceilings, options.quick ? 5000 : 20_000),
        inApp: () => notify(bench, driver, 'in_app', targets),
      });
      bench.report.add({
        part: PART,
        name: `${driver}: notifications in the app`,
        value: median(inApp),
        unit: '/s',
        rounds: inApp,
        ceiling: {
          name: 'bare publish with confirm, then consume',
          value: median(ceiling),
        },
        target: { of: 'value', atLeast: 1000 },
      });
      for (const channel of ['webhook', 'push', 'email'] as const) {
        const rounds = [await notify(bench, driver, channel, targets)];
        bench.report.add({
          part: PART,
          name: `${driver}: notifications by ${channel}`,
          value: median(rounds),
          unit: '/s',
          ...(channel === 'email' ? { note: 'in digests' } : {}),
        });
      }
    }
  });
  await scratch.drop();
}

const carried = async (ceilings: Child, count: number): Promise<number> =>
  (await ceilings.call<{ perSecond: number }>('carries', { count })).perSecond;

interface Targets {
  http: string;
  smtp: string;
}

/**
 * Notifies one user of that many ended jobs; notifications per second between the first tenth and
 * the last twentieth.
 */
async function notify(bench: Bench, driver: Driver, channel: Channel, targets: Targets): Promise<number> {
  const count = COUNTS[channel] / (bench.options.quick ? 4 : 1);
  const scratch = await createScratch(bench.services);
  await insertJobs(scratch, count);
  await subscribe(scratch, channel, targets);
  await scratch.database.query(END_JOBS);
  await purgeQueue(bench, driver);
  const rate = await withChildren(async (keep) => {
    // The jobs themselves do not matter here.
    const env = { EGRESS_ALLOW: '127.0.0.1', SMTP_URL: targets.smtp, EMAIL_DIGEST_SECONDS: '0' };
    await keep(startNotifier(bench, driver, scratch.url, env));
    await keep(startApi(bench, driver, scratch.url, env));
    return between(count * 0.1, count * 0.95, async () => {
      const [row] = await scratch.database.query<{ notified: number }>(
        channel === 'in_app' ? COUNT_IN_APP : COUNT_DELIVERED,
      );
      return row?.notified ?? 0;
    });
  });
  await scratch.drop();
  return rate;
}

async function between(from: number, to: number, notified: () => Promise<number>): Promise<number> {
  let begin: { at: number; notified: number } | undefined;
  const latest = now() + LONGEST_MS;
  for (;;) {
    const seen = { at: now(), notified: await notified() };
    if (!begin && seen.notified >= from) begin = seen;
    else if (begin && (seen.notified >= to || seen.at > latest)) {
      return ((seen.notified - begin.notified) * 1000) / (seen.at - begin.at);
    }
    if (!begin && seen.at > latest) return 0;
    await sleep(50);
  }
}

async function subscribe({ database }: Scratch, channel: Channel, targets: Targets): Promise<void> {
  const [user] = await database.query<{ id: string }>(FIND_ADMIN);
  if (!user) throw new Error('the scratch database has no admin');
  const webhook =
    channel === 'webhook'
      ? await ensureWebhook(database, {
          ...{ userId: user.id, url: `${targets.http}/hook`, description: null },
        })
      : null;
  await createSubscription(database, {
    ...{ userId: user.id, events: ['job.completed'], filter: {}, channel },
    target: channel === 'email' ? 'somebody@example.com' : null,
    ...(channel === 'push' ? { push: browserAt(targets) } : {}),
    webhookId: webhook?.webhook.id ?? null,
  });
}

function browserAt(targets: Targets): PushTarget {
  const keys = {
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  };
  return { endpoint: `${targets.http}/push`, keys };
}

const FIND_ADMIN = statement('bench_find_owner', "SELECT id FROM users WHERE role = 'admin'");

/** As a worker's settle writes it. */
const END_JOBS = statement(
  'bench_end_jobs',
  `
  WITH ended AS (
    UPDATE jobs SET status = 'completed', finished_at = now() WHERE status = 'queued' RETURNING id, user_id, correlation_id
  )
  INSERT INTO events (type, version, user_id, job_id, correlation_id, data)
  SELECT 'job.completed', '1.0', user_id, id, correlation_id, json_build_object(
           'job_id', id, 'status', 'completed', 'attempt', 1, 'outcome', 'completed',
           'counts', json_build_object('pages', 1, 'leads', 0, 'errors', 0))
  FROM ended
  `,
);
const COUNT_IN_APP = statement('bench_count_in_app', 'SELECT count(*)::int AS notified FROM notifications');
const COUNT_DELIVERED = statement(
  'bench_count_delivered',
  "SELECT count(*)::int AS notified FROM deliveries WHERE status = 'delivered'",
);
