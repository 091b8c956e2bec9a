import type { Database, Sql } from '../../db/connect.ts';
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
import type { NotifiableEvent } from '../../db/notifications/fan-out.ts';
import { fanOut, listWanted } from '../../db/notifications/fan-out.ts';
import { listNotifications, markAllRead, markRead } from '../../db/notifications/in-app.ts';
import { listSubscriptions } from '../../db/notifications/subscriptions.ts';
import { listWebhooks } from '../../db/notifications/webhooks.ts';
import { statement } from '../../db/statement.ts';
import { SMALL_USER } from '../fill.ts';

export type Step = [name: string, run: (database: Database) => Promise<unknown>];

/**
 * The statements of a notification's life, against as many notifications and deliveries as there
 * are jobs.
 */
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
  const events = await some<NotifiableEvent>(
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
    ['relay: matching subscriptions of 100 events', (database) => listWanted(database, events)],
    ['fan-out of 10 events', (database) => fanOut(database, events.slice(0, 10), pace)],
    ['deliveries: what is due', (database) => listDueDeliveries(database, 64)],
    ['deliveries: mark 16 dispatched', (database) => markDeliveriesDispatched(database, queued)],
    ['deliveries: long dispatched', (database) => countLongDispatchedDeliveries(database, 10_000)],
    [
      'deliveries: clear lost marks',
      (database) => forgetLongDispatchedDeliveries(database, 'webhook', 10_000),
    ],
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
