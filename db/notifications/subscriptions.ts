import { createHash, randomUUID } from 'node:crypto';
import type { Channel } from '../../core/notifications/notification.ts';
import { unlessUnreadable } from '../../runtime/secrets/secret-box.ts';
import type { Sql } from '../connect.ts';
import { type KeysetCursor, keyset, keysetValues, pageOf } from '../keyset.ts';
import { place } from '../secrets/places.ts';
import { statement } from '../statement.ts';

export interface Subscription {
  id: string;
  events: string[];
  filter: Record<string, unknown>;
  channel: Channel;
  /**
   * E-mail: the address. Webhook: the URL. Push: the browser's endpoint, without the keys. In-app:
   * null.
   */
  target: string | null;
  webhook_id: string | null;
  active: boolean;
  created_at: Date;
}

export interface NewSubscription {
  userId: string;
  events: string[];
  filter: Record<string, unknown>;
  channel: Channel;
  /** E-mail: the address. */
  target: string | null;
  /** The browser's subscription; stored encrypted. */
  push?: PushTarget;
  webhookId: string | null;
}

/** A browser's subscription at its push service. */
export interface PushTarget {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

/** A subscription is a rule that every event of its user is matched against. */
export const MAX_SUBSCRIPTIONS = 200;

/** Null if the user has reached the limit. */
export async function createSubscription(
  sql: Sql,
  subscription: NewSubscription,
): Promise<Subscription | null> {
  const { userId, events, filter, channel, target, webhookId } = subscription;
  const id = randomUUID();
  const { push } = subscription;
  const values = [
    userId,
    [...new Set(events)],
    JSON.stringify(filter),
    channel,
    push ? pushAddress(push) : target,
    webhookId,
    MAX_SUBSCRIPTIONS,
    id,
    push ? sql.secrets.seal(JSON.stringify(push), place.subscription(id)) : null,
  ];
  const [row] = await sql.query<SubscriptionRow>(CREATE_SUBSCRIPTION, values);
  return row ? toSubscription(sql, row) : null;
}

/** A user's, newest first. */
export async function listSubscriptions(
  sql: Sql,
  page: { userId: string; limit: number; after: KeysetCursor | null },
): Promise<{ subscriptions: Subscription[]; next: KeysetCursor | null }> {
  const rows = await sql.query<SubscriptionRow>(LIST_SUBSCRIPTIONS, [
    page.userId,
    ...keysetValues(page.after),
    page.limit + 1,
  ]);
  const { items, next } = pageOf(rows, page.limit, (row) => toSubscription(sql, row));
  return { subscriptions: items, next };
}

export async function findSubscription(sql: Sql, userId: string, id: string): Promise<Subscription | null> {
  const [row] = await sql.query<SubscriptionRow>(FIND_SUBSCRIPTION, [userId, id]);
  return row ? toSubscription(sql, row) : null;
}

/** Undefined fields stay unchanged. Null if there is no such subscription. */
export async function changeSubscription(
  sql: Sql,
  userId: string,
  id: string,
  change: {
    events?: string[] | undefined;
    filter?: Record<string, unknown> | undefined;
    active?: boolean | undefined;
  },
): Promise<Subscription | null> {
  const [row] = await sql.query<SubscriptionRow>(CHANGE_SUBSCRIPTION, [
    userId,
    id,
    change.events ? [...new Set(change.events)] : null,
    change.filter ? JSON.stringify(change.filter) : null,
    change.active ?? null,
  ]);
  return row ? toSubscription(sql, row) : null;
}

export async function deleteSubscription(sql: Sql, userId: string, id: string): Promise<boolean> {
  const rows = await sql.query(DELETE_SUBSCRIPTION, [userId, id]);
  return rows.length > 0;
}

/**
 * Ends all mail of this user to this address, including queued mail; returns how many subscriptions
 * were active.
 */
export async function unsubscribeAddress(sql: Sql, userId: string, address: string): Promise<number> {
  const rows = await sql.query(UNSUBSCRIBE_ADDRESS, [userId, address]);
  return rows.length;
}

type SubscriptionRow = Subscription & { cursor: string; url: string | null; secrets: Buffer | null };

const toSubscription = (sql: Sql, { url, secrets, ...row }: SubscriptionRow): Subscription => ({
  id: row.id,
  events: row.events,
  filter: row.filter,
  channel: row.channel,
  target: row.channel === 'push' ? endpointOf(sql, row.id, row.target, secrets) : (url ?? row.target),
  webhook_id: row.webhook_id,
  active: row.active,
  created_at: row.created_at,
});

/** Tells browsers apart without revealing the endpoint, which is enough to reach one. */
const pushAddress = (push: PushTarget): string =>
  `${new URL(push.endpoint).origin}/#${createHash('sha256').update(JSON.stringify(push)).digest('base64url')}`;

/** Null if it cannot be decrypted. */
export const openPushTarget = (sql: Sql, id: string, sealed: Buffer | null): PushTarget | null =>
  sealed &&
  unlessUnreadable(() => JSON.parse(sql.secrets.open(sealed, place.subscription(id))) as PushTarget);

const endpointOf = (sql: Sql, id: string, target: string | null, sealed: Buffer | null): string | null =>
  openPushTarget(sql, id, sealed)?.endpoint ?? target?.split('#', 1)[0] ?? null;

const NEWEST = keyset('s.created_at', 's.id');

const COLUMNS = `s.id, s.events, s.filter, s.channel, s.target, s.secrets, s.webhook_id, s.active, s.created_at, ${NEWEST.column},
  (SELECT url FROM webhooks w WHERE w.id = s.webhook_id) AS url`;

const CREATE_SUBSCRIPTION = statement(
  'create_subscription',
  `
  WITH s AS (
    INSERT INTO subscriptions (id, user_id, events, filter, channel, target, webhook_id, secrets)
    SELECT $8::uuid, $1, $2, $3::jsonb, $4, $5, $6, $9::bytea
    WHERE (SELECT count(*) FROM subscriptions WHERE user_id = $1) < $7
    RETURNING *
  )
  SELECT ${COLUMNS} FROM s
  `,
);

const LIST_SUBSCRIPTIONS = statement(
  'list_subscriptions',
  `
  SELECT ${COLUMNS} FROM subscriptions s
  WHERE s.user_id = $1 AND ${NEWEST.behind('$2', '$3')}
  ORDER BY ${NEWEST.order} LIMIT $4
  `,
);

const FIND_SUBSCRIPTION = statement(
  'find_subscription',
  `SELECT ${COLUMNS} FROM subscriptions s WHERE s.user_id = $1 AND s.id = $2`,
);

const CHANGE_SUBSCRIPTION = statement(
  'change_subscription',
  `
  WITH s AS (
    UPDATE subscriptions
    SET events = coalesce($3, events), filter = coalesce($4::jsonb, filter), active = coalesce($5, active)
    WHERE user_id = $1 AND id = $2
    RETURNING *
  )
  SELECT ${COLUMNS} FROM s
  `,
);

const DELETE_SUBSCRIPTION = statement(
  'delete_subscription',
  'DELETE FROM subscriptions WHERE user_id = $1 AND id = $2 RETURNING id',
);

const UNSUBSCRIBE_ADDRESS = statement(
  'unsubscribe_address',
  `
  WITH dropped AS (
    DELETE FROM deliveries WHERE user_id = $1 AND channel = 'email' AND target = $2 AND status = 'queued'
      AND type <> 'webhook.paused'
  )
  UPDATE subscriptions SET active = false
  WHERE user_id = $1 AND channel = 'email' AND target = $2 AND active
  RETURNING id
  `,
);
