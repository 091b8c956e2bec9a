import { asAdmin } from '../postgres.ts';
import type { LedgerLine, NotificationSnapshot, Subscriber } from './audit-notifications.ts';

/** What the tables say of the subscribers; the rest of the snapshot comes from their receivers. */
export const readNotificationSnapshot = (
  adminUrl: string,
  subscribers: Subscriber[],
): Promise<Omit<NotificationSnapshot, 'receipts' | 'notifierKills'>> =>
  asAdmin(adminUrl, async (admin) => {
    const users = [subscribers.map(({ userId }) => userId)];
    const events = await admin.query<LedgerLine>(EVENTS, users);
    const undelivered = await admin.query<{ what: string }>(UNDELIVERED, users);
    const withoutOneEvent = await admin.query<{ id: string }>(WITHOUT_ONE_EVENT, users);
    const paused = await admin.query(PAUSED, users);
    return {
      subscribers,
      events: events.rows,
      undelivered: undelivered.rows.map(({ what }) => what),
      withoutOneEvent: withoutOneEvent.rows.map(({ id }) => id),
      pausedEndpoints: paused.rows.length,
    };
  });

const EVENTS = `
  SELECT type, user_id, job_id, occurred_at, data FROM events
  WHERE user_id = ANY ($1::uuid[]) AND job_id IS NOT NULL AND type NOT LIKE 'notification.%'
  ORDER BY xid, seq`;
const UNDELIVERED = `
  SELECT concat_ws(' ', channel, id, status, error_code) AS what FROM deliveries
  WHERE user_id = ANY ($1::uuid[]) AND status <> 'delivered'`;
/** In the app and elsewhere: each has one event in the ledger, and each event has one of them. */
const WITHOUT_ONE_EVENT = `
  WITH stored AS (
    SELECT id::text FROM notifications WHERE user_id = ANY ($1::uuid[])
    UNION ALL SELECT id::text FROM deliveries WHERE user_id = ANY ($1::uuid[])
  ), reported AS (
    SELECT data->>'notification_id' AS id, count(*) AS times FROM events
    WHERE user_id = ANY ($1::uuid[]) AND type = 'notification.delivered' GROUP BY 1
  )
  SELECT coalesce(stored.id, reported.id) AS id FROM stored FULL JOIN reported ON reported.id = stored.id
  WHERE stored.id IS NULL OR reported.times IS DISTINCT FROM 1`;
const PAUSED = 'SELECT id FROM webhooks WHERE user_id = ANY ($1::uuid[]) AND paused_at IS NOT NULL';
