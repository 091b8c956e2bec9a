import { randomUUID } from 'node:crypto';
import { splitLogin } from '../../core/url-login.ts';
import { unlessUnreadable } from '../../runtime/secrets/secret-box.ts';
import type { Database, Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import {
  generateSecret,
  openWebhookLogin,
  openWebhookSecret,
  sealWebhookLogin,
  sealWebhookSecret,
} from './webhook-secrets.ts';

/**
 * An address that receives signed messages. Those of a user whose URLs differ only in their query
 * have one receiver, and so one signing secret.
 */
export interface Webhook {
  id: string;
  /** Without user name and password. */
  url: string;
  /** Whether a user name and password stood in the URL: they are sent as `Authorization`. */
  url_credentials: boolean;
  description: string;
  failing_since: Date | null;
  paused_at: Date | null;
  /** `failing` for days, `gone` (it answered 410), or paused by its `user`. */
  paused_reason: 'failing' | 'gone' | 'user' | null;
  created_at: Date;
}

/** The Standard Webhooks format of a secret. */
const shownSecret = (secret: string): string => `whsec_${secret}`;

/**
 * The user's endpoint of this URL, created if there is none; `fresh` says which. A user name and
 * password in the URL replace those that an existing endpoint had. `secret` is null if it cannot be
 * decrypted.
 */
export async function ensureWebhook(
  sql: Sql,
  endpoint: {
    userId: string;
    url: string;
    description: string | null;
    /** Value of the header `Authorization`, if `url` does not hold it. */
    authorization?: string | undefined;
  },
): Promise<{ webhook: Webhook; secret: string | null; fresh: boolean }> {
  const { url, login } = splitLogin(endpoint.url);
  const authorization = login?.authorization ?? endpoint.authorization;
  const id = randomUUID();
  const [made] = await sql.query<WithReceiver>(CREATE_WEBHOOK, [
    ...[id, endpoint.userId, url, endpoint.description ?? '', receiverOf(url)],
    sealWebhookSecret(sql, id, generateSecret()),
    authorization ? sealWebhookLogin(sql, id, authorization) : null,
  ]);
  const [row] = made ? [made] : await sql.query<WithReceiver>(FIND_BY_URL, [endpoint.userId, url]);
  if (!row) throw new Error('create_webhook returned no row');
  const { receiver_id, secret: sealed, login: knownLogin, ...webhook } = row;
  const known = unlessUnreadable(() => openWebhookSecret(sql, receiver_id, sealed));
  const secret = known && shownSecret(known);
  if (made) return { webhook, secret, fresh: true };
  const currentLogin = () => knownLogin && openWebhookLogin(sql, webhook.id, knownLogin);
  if (authorization !== undefined && authorization !== unlessUnreadable(currentLogin)) {
    await sql.query(SET_LOGIN, [webhook.id, sealWebhookLogin(sql, webhook.id, authorization)]);
    webhook.url_credentials = true;
  }
  return { webhook, secret, fresh: false };
}

/** Sealed. */
type WithReceiver = Webhook & { login: Buffer | null; receiver_id: string; secret: Buffer };

/** The part of a webhook's URL that names its receiver: all but query and fragment. */
export const receiverOf = (url: string): string => url.replace(/[?#].*$/s, '');

export const listWebhooks = (sql: Sql, userId: string): Promise<Webhook[]> =>
  sql.query<Webhook>(LIST_WEBHOOKS, [userId]);

export async function findWebhook(sql: Sql, userId: string, id: string): Promise<Webhook | null> {
  const [row] = await sql.query<Webhook>(FIND_WEBHOOK, [userId, id]);
  return row ?? null;
}

/** The secrets that sign now, the current one first. */
export async function findSecrets(sql: Sql, userId: string, id: string): Promise<string[] | null> {
  const [row] = await sql.query<ReceiverSecrets>(FIND_SECRETS, [userId, id]);
  if (!row) return null;
  const sealed = [row.secret, ...(row.previous_secret ? [row.previous_secret] : [])];
  return sealed.map((secret) => shownSecret(openWebhookSecret(sql, row.id, secret)));
}

/** Sealed. */
interface ReceiverSecrets {
  id: string;
  secret: Buffer;
  previous_secret: Buffer | null;
}

/**
 * Deliveries that wait for a paused endpoint fail and can be redelivered; resuming resets how long
 * it had failed.
 */
export async function changeWebhook(
  sql: Sql,
  userId: string,
  id: string,
  change: { description?: string | undefined; paused?: boolean | undefined },
): Promise<Webhook | null> {
  const values = [userId, id, change.description ?? null, change.paused ?? null];
  const [row] = await sql.query<Webhook>(CHANGE_WEBHOOK, values);
  return row ?? null;
}

/**
 * Gives its receiver a new secret; the old one signs too until `oldValidUntil`. Returns the new
 * one, or null if there is no such endpoint.
 */
export async function rotateSecret(
  sql: Sql,
  userId: string,
  id: string,
  oldValidUntil: string | null,
): Promise<{ secret: string; oldValidUntil: Date } | null> {
  const [receiver] = await sql.query<ReceiverSecrets>(FIND_SECRETS, [userId, id]);
  if (!receiver) return null;
  const secret = generateSecret();
  const values = [receiver.id, sealWebhookSecret(sql, receiver.id, secret), oldValidUntil];
  const [row] = await sql.query<{ previous_secret_until: Date }>(ROTATE_SECRET, values);
  return row ? { secret: shownSecret(secret), oldValidUntil: row.previous_secret_until } : null;
}

/** With its subscriptions and deliveries; the last one of a receiver with the receiver's secret. */
export const deleteWebhook = (database: Database, userId: string, id: string): Promise<boolean> =>
  database.transaction(async (sql) => {
    // A webhook that is created meanwhile keeps the receiver, or waits and makes another.
    const [receiver] = await sql.query<{ id: string }>(LOCK_RECEIVER, [userId, id]);
    if (!receiver) return false;
    const deleted = await sql.query(DELETE_WEBHOOK, [userId, id]);
    await sql.query(DELETE_UNUSED_RECEIVER, [receiver.id]);
    return deleted.length > 0;
  });

const COLUMNS =
  'id, url, login IS NOT NULL AS url_credentials, description, failing_since, paused_at, paused_reason, created_at';

const CREATE_WEBHOOK = statement(
  'create_webhook',
  `
  WITH receiver AS (
    INSERT INTO webhook_receivers (id, user_id, url, secret) VALUES ($1, $2, $5, $6)
    ON CONFLICT (user_id, md5(url)) DO UPDATE SET url = excluded.url
    RETURNING id AS receiver_id, secret
  ), made AS (
    INSERT INTO webhooks (id, user_id, url, description, login, receiver_id)
    SELECT $1, $2, $3, $4, $7::bytea, receiver_id FROM receiver
    ON CONFLICT DO NOTHING RETURNING ${COLUMNS}, login, receiver_id
  )
  SELECT made.*, receiver.secret FROM made, receiver
  `,
);
const FIND_BY_URL = statement(
  'find_webhook_by_url',
  `
  SELECT w.*, r.secret FROM webhook_receivers r, (
    SELECT ${COLUMNS}, login, receiver_id FROM webhooks WHERE user_id = $1 AND md5(url) = md5($2)) AS w
  WHERE r.id = w.receiver_id
  `,
);
const SET_LOGIN = statement('set_webhook_login', 'UPDATE webhooks SET login = $2 WHERE id = $1');
const LIST_WEBHOOKS = statement(
  'list_webhooks',
  `SELECT ${COLUMNS} FROM webhooks WHERE user_id = $1 ORDER BY created_at, id LIMIT 10000`,
);
const FIND_WEBHOOK = statement(
  'find_webhook',
  `SELECT ${COLUMNS} FROM webhooks WHERE user_id = $1 AND id = $2`,
);
const FIND_SECRETS = statement(
  'find_webhook_secrets',
  `
  SELECT r.id, r.secret, CASE WHEN r.previous_secret_until > now() THEN r.previous_secret END AS previous_secret
  FROM webhooks w JOIN webhook_receivers r ON r.id = w.receiver_id
  WHERE w.user_id = $1 AND w.id = $2
  `,
);
const CHANGE_WEBHOOK = statement(
  'change_webhook',
  `
  UPDATE webhooks
  SET description = coalesce($3, description),
      failing_since = CASE WHEN $4 IS FALSE THEN NULL ELSE failing_since END,
      paused_at = CASE WHEN $4 IS NULL THEN paused_at WHEN $4 THEN coalesce(paused_at, now()) END,
      paused_reason = CASE WHEN $4 IS NULL THEN paused_reason WHEN $4 THEN coalesce(paused_reason, 'user') END
  WHERE user_id = $1 AND id = $2
  RETURNING ${COLUMNS}
  `,
);
const ROTATE_SECRET = statement(
  'rotate_webhook_secret',
  `
  UPDATE webhook_receivers
  SET previous_secret = secret, secret = $2, previous_secret_until = coalesce($3::timestamptz, now() + interval '24 hours')
  WHERE id = $1 RETURNING previous_secret_until
  `,
);
const DELETE_WEBHOOK = statement(
  'delete_webhook',
  'DELETE FROM webhooks WHERE user_id = $1 AND id = $2 RETURNING id',
);

const LOCK_RECEIVER = statement(
  'lock_webhook_receiver',
  `
  SELECT r.id FROM webhooks w JOIN webhook_receivers r ON r.id = w.receiver_id
  WHERE w.user_id = $1 AND w.id = $2 FOR UPDATE OF r
  `,
);
const DELETE_UNUSED_RECEIVER = statement(
  'delete_unused_webhook_receiver',
  'DELETE FROM webhook_receivers WHERE id = $1 AND NOT EXISTS (SELECT FROM webhooks WHERE receiver_id = $1)',
);
