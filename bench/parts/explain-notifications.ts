import { type Database, type Sql, statement } from '../../db/connect.ts';
import { claimDeliveries, claimMail, type DeliveryClaim } from '../../db/notifications/deliveries/claim.ts';
import {
  countLongDispatchedDeliveries,
  forgetLongDispatchedDeliveries,
  listDueDeliveries,
  markDeliveriesDispatched,
} from '../../db/notifications/deliveries/dispatch.ts';
import {
  countOpenDeliveries,
  listWebhookDeliveries,
  redeliver,
} from '../../db/notifications/deliveries/read.ts';
import { releaseExpiredDeliveries, settleDeliveries } from '../../db/notifications/deliveries/settle.ts';
import type { TellableEvent } from '../../db/notifications/fan-out.ts';
import { fanOut, listWanted } from '../../db/notifications/fan-out.ts';
import { listNotifications, markAllRead, markRead } from '../../db/notifications/in-app.ts';
import { listSubscriptions } from '../../db/notifications/subscriptions.ts';
import { listWebhooks } from '../../db/notifications/webhooks.ts';

export type Step = [name: string, run: (database: Database) => Promise<unknown>];

/** The statements of a notification's life, against as many notifications and deliveries as there are jobs. */
export async function notificationSteps(sql: Sql): Promise<Step[]> {
  let asked = 0;
  const some = async <Row>(text: string) => {
    asked += 1;
    return sql.query<Row>(statement(`bench_some_${asked}`, text));
  };
  const queued = await some<DeliveryClaim & { userId: string }>(
    `SELECT id, attempt, user_id AS "userId" FROM deliveries WHERE channel = 'webhook' AND status = 'queued' LIMIT 16`,
  );
  const [mail] = await some<DeliveryClaim>(
    `SELECT id, attempt FROM deliveries WHERE channel = 'email' AND status = 'queued' AND due_at <= now() LIMIT 1`,
  );
  const sending = await some<{ id: string; holder: string }>(
    `SELECT id, holder FROM deliveries WHERE status = 'sending' AND channel = 'webhook' LIMIT 16`,
  );
  const [old] = await some<{ id: string; webhook_id: string; user_id: string }>(
    `SELECT id, webhook_id, user_id FROM deliveries WHERE status = 'failed' AND webhook_id IS NOT NULL LIMIT 1`,
  );
  const [unread] = await some<{ id: string; user_id: string }>(
    'SELECT id, user_id FROM notifications WHERE read_at IS NULL LIMIT 1',
  );
  const events = await some<TellableEvent>(
    `SELECT gen_random_uuid() AS id, 'job.completed' AS type, user_id, id AS job_id, correlation_id, now()::text AS occurred_at,
            json_build_object('job_id', id) AS data
     FROM jobs WHERE status = 'completed' LIMIT 100`,
  );
  const pace = { gatherMs: 5000, apartMs: 60_000, urgentApartMs: 15_000 };
  const rule = { pauseAfterMs: 259_200_000, mail: true };
  const ending = (status: 'delivered' | 'failed') =>
    sending.map(({ id, holder }) => ({
      ...{ ids: [id], holder, durationMs: 10 },
      transition: {
        ...{ status, delayMs: 0, spendsAttempt: true, gone: false, receipt: { status: 204, body: '' } },
        error: status === 'failed' ? { code: 'http_error', message: 'it answered 500' } : null,
      },
    }));
  const user = unread?.user_id ?? '';
  const page = { limit: 50, after: null };
  const claims = queued.map(({ id, attempt }, place) => ({ id, attempt, holder: `bench-${place}` }));
  return [
    ['relay: who may want to be told of 100 events', (database) => listWanted(database, events)],
    ['fan-out of 10 events', (database) => fanOut(database, events.slice(0, 10), pace)],
    ['deliveries: what is due', (database) => listDueDeliveries(database, 64)],
    ['deliveries: mark 16 dispatched', (database) => markDeliveriesDispatched(database, queued)],
    ['deliveries: long dispatched', (database) => countLongDispatchedDeliveries(database, 10_000)],
    ['deliveries: ring again', (database) => forgetLongDispatchedDeliveries(database, 'webhook', 10_000)],
    ['deliveries: expired leases', (database) => releaseExpiredDeliveries(database, 1000)],
    ['deliveries: open ones, by channel', countOpenDeliveries],
    ['claim of 16 deliveries', (database) => claimDeliveries(database, claims, 15_000)],
    [
      'claim of a mail',
      (database) => claimMail(database, mail ?? { id: '', attempt: 0 }, { holder: 'bench', leaseMs: 60_000 }),
    ],
    ['settle of 16 deliveries', (database) => settleDeliveries(database, ending('delivered'), rule)],
    ['settle of 16 that failed', (database) => settleDeliveries(database, ending('failed'), rule)],
    [
      'deliveries of an endpoint',
      (database) => listWebhookDeliveries(database, old?.webhook_id ?? '', { ...page, status: undefined }),
    ],
    [
      'failed deliveries of an endpoint',
      (database) => listWebhookDeliveries(database, old?.webhook_id ?? '', { ...page, status: 'failed' }),
    ],
    ['redeliver one', (database) => redeliver(database, old?.webhook_id ?? '', old?.id ?? '')],
    [
      'notifications, and how many are unread',
      (database) => listNotifications(database, { ...page, userId: user, unread: false }),
    ],
    [
      'unread notifications',
      (database) => listNotifications(database, { ...page, userId: user, unread: true }),
    ],
    ['mark one read', (database) => markRead(database, unread?.user_id ?? '', unread?.id ?? '')],
    ['mark the unread of a small user read', (database) => markAllRead(database, SMALL_USER)],
    ['subscriptions of a user', (database) => listSubscriptions(database, { ...page, userId: user })],
    ['endpoints of a user', (database) => listWebhooks(database, user)],
  ];
}

const SMALL_USER = '00000000-0000-0000-0000-000000000001';

/**
 * 5,000 more users with an endpoint and four subscriptions each; each job has told its user in the app, two thirds of them unread, and by one
 * of three channels. Of a thousand deliveries: 1 is due, 3 wait, 10 failed; of 20,000: 1 is rung
 * for, 1 being sent, as windows and slots have it.
 */
export const FILL_NOTIFICATIONS = `
  INSERT INTO users (id, email, name, role) VALUES ('${SMALL_USER}', 'small@example.com', 'Small', 'user');
  INSERT INTO users (email, name, role) SELECT 'sub' || n || '@example.com', 'Sub ' || n, 'user' FROM generate_series(1, 5000) AS n;
  INSERT INTO webhooks (user_id, url, secret)
  SELECT id, 'https://example.com/' || email, '\\x00'::bytea FROM users;
  INSERT INTO subscriptions (user_id, events, channel, target, webhook_id)
  SELECT u.id, ARRAY['job.completed', 'job.failed'], c.channel,
         CASE c.channel WHEN 'email' THEN u.email WHEN 'push' THEN '{}' END,
         CASE c.channel WHEN 'webhook' THEN (SELECT w.id FROM webhooks w WHERE w.user_id = u.id LIMIT 1) END
  FROM users u CROSS JOIN (VALUES ('in_app'), ('email'), ('push'), ('webhook')) AS c (channel);
  INSERT INTO notifications (user_id, event_id, type, urgent, job_id, data, occurred_at, created_at, read_at)
  SELECT user_id, gen_random_uuid(), 'job.completed', false, id, json_build_object('job_id', id), created_at, created_at,
         CASE WHEN row_number() OVER (ORDER BY created_at) % 3 = 0 THEN created_at END
  FROM jobs ORDER BY created_at;
  WITH numbered AS (
    SELECT id, user_id, created_at,
           CASE WHEN n % 20000 IN (1, 2) OR n % 1000 NOT IN (1, 2) THEN n % 1000 ELSE 999 END AS kind,
           (ARRAY['email', 'push', 'webhook'])[(n / 1000) % 3 + 1] AS channel
    FROM (SELECT id, user_id, created_at, row_number() OVER (ORDER BY created_at) AS n FROM jobs) AS j
  )
  INSERT INTO deliveries (event_id, user_id, channel, target, webhook_id, type, urgent, job_id, correlation_id, data, occurred_at,
                          status, attempt, due_at, dispatched_at, lease_until, holder, created_at, finished_at)
  SELECT gen_random_uuid(), n.user_id, n.channel, CASE n.channel WHEN 'webhook' THEN w.id::text WHEN 'email' THEN u.email ELSE '{}' END,
         CASE n.channel WHEN 'webhook' THEN w.id END, 'job.completed', false, n.id, 'bench', json_build_object('job_id', n.id),
         n.created_at,
         CASE WHEN kind < 2 OR kind IN (3, 4, 5) THEN 'queued' WHEN kind = 2 THEN 'sending' WHEN kind < 16 THEN 'failed'
              ELSE 'delivered' END,
         CASE WHEN kind < 2 THEN 0 ELSE 1 END, now() + CASE WHEN kind IN (3, 4, 5) THEN interval '1 day' ELSE interval '-1 s' END,
         CASE WHEN kind = 1 THEN now() END,
         CASE WHEN kind = 2 THEN now() + CASE WHEN n.id::text < '05' THEN interval '-1 s' ELSE interval '1 day' END END,
         CASE WHEN kind = 2 THEN 'notifier-' || n.id END, n.created_at, CASE WHEN kind > 5 THEN n.created_at END
  FROM numbered n JOIN users u ON u.id = n.user_id JOIN webhooks w ON w.user_id = u.id;
  INSERT INTO mail_pace (user_id, address, sent_at) SELECT id, email, now() FROM users;
  INSERT INTO dead_letters (user_id, delivery_id, queue, code, message)
  SELECT user_id, id, channel || '_notifications', 'http_error', 'it answered 500' FROM deliveries WHERE status = 'failed';
  INSERT INTO delivery_attempts (delivery_id, finished_at, duration_ms, status)
  SELECT id, finished_at, 10, 204 FROM deliveries WHERE finished_at IS NOT NULL;
`;
