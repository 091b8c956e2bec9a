import { randomUUID } from 'node:crypto';
import { splitLogin } from '../../core/url-login.ts';
import { SecretUnreadable } from '../../runtime/secrets/secret-box.ts';
import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import {
  generateSecret,
  openWebhookLogin,
  openWebhookSecret,
  sealWebhookLogin,
  sealWebhookSecret,
} from './webhook-secrets.ts';

/** An address that receives signed messages. */
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
 * password in the URL replace those that an existing endpoint had.
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
): Promise<{ webhook: Webhook; secret: string; fresh: boolean }> {
  const { url, login } = splitLogin(endpoint.url);
  const authorization = login?.authorization ?? endpoint.authorization;
  const id = randomUUID();
  const secret = generateSecret();
  const [made] = await sql.query<Webhook>(CREATE_WEBHOOK, [
    ...[id, endpoint.userId, url, endpoint.description ?? '', sealWebhookSecret(sql, id, secret)],
    authorization ? sealWebhookLogin(sql, id, authorization) : null,
  ]);
  if (made) return { webhook: made, secret: shownSecret(secret), fresh: true };
  const [row] = await sql.query<Webhook & { secret: Buffer; login: Buffer | null }>(FIND_BY_URL, [
    endpoint.userId,
    url,
  ]);
  if (!row) throw new Error('create_webhook returned no row');
  const { secret: sealed, login: known, ...webhook } = row;
  if (authorization !== undefined && authorization !== readableLogin(sql, webhook.id, known)) {
    await sql.query(SET_LOGIN, [webhook.id, sealWebhookLogin(sql, webhook.id, authorization)]);
    webhook.url_credentials = true;
  }
  return { webhook, secret: shownSecret(openWebhookSecret(sql, webhook.id, sealed)), fresh: false };
}

function readableLogin(sql: Sql, id: string, sealed: Buffer | null): string | null {
  try {
    return sealed && openWebhookLogin(sql, id, sealed);
  } catch (error) {
    if (error instanceof SecretUnreadable) return null;
    throw error;
  }
}

export const listWebhooks = (sql: Sql, userId: string): Promise<Webhook[]> =>
  sql.query<Webhook>(LIST_WEBHOOKS, [userId]);

export async function findWebhook(sql: Sql, userId: string, id: string): Promise<Webhook | null> {
  const [row] = await sql.query<Webhook>(FIND_WEBHOOK, [userId, id]);
  return row ?? null;
}

/** The secrets that sign now, the current one first. */
export async function findSecrets(sql: Sql, userId: string, id: string): Promise<string[] | null> {
  const [row] = await sql.query<{ secret: Buffer; previous_secret: Buffer | null }>(FIND_SECRETS, [
    userId,
    id,
  ]);
  if (!row) return null;
  const sealed = [row.secret, ...(row.previous_secret ? [row.previous_secret] : [])];
  return sealed.map((secret) => shownSecret(openWebhookSecret(sql, id, secret)));
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
 * Gives it a new secret; the old one signs too until `oldValidUntil`. Returns the new one, or null
 * if there is no such endpoint.
 */
export async function rotateSecret(
  sql: Sql,
  userId: string,
  id: string,
  oldValidUntil: string | null,
): Promise<{ secret: string; oldValidUntil: Date } | null> {
  const secret = generateSecret();
  const values = [userId, id, sealWebhookSecret(sql, id, secret), oldValidUntil];
  const [row] = await sql.query<{ previous_secret_until: Date }>(ROTATE_SECRET, values);
  return row ? { secret: shownSecret(secret), oldValidUntil: row.previous_secret_until } : null;
}

/** With its subscriptions and deliveries. */
export async function deleteWebhook(sql: Sql, userId: string, id: string): Promise<boolean> {
  const rows = await sql.query(DELETE_WEBHOOK, [userId, id]);
  return rows.length > 0;
}

const COLUMNS =
  'id, url, login IS NOT NULL AS url_credentials, description, failing_since, paused_at, paused_reason, created_at';

const CREATE_WEBHOOK = statement(
  'create_webhook',
  `
  INSERT INTO webhooks (id, user_id, url, description, secret, login) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT DO NOTHING RETURNING ${COLUMNS}
  `,
);
const FIND_BY_URL = statement(
  'find_webhook_by_url',
  `SELECT ${COLUMNS}, secret, login FROM webhooks WHERE user_id = $1 AND md5(url) = md5($2)`,
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
  SELECT secret, CASE WHEN previous_secret_until > now() THEN previous_secret END AS previous_secret FROM webhooks
  WHERE user_id = $1 AND id = $2
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
  UPDATE webhooks SET previous_secret = secret, secret = $3, previous_secret_until = coalesce($4::timestamptz, now() + interval '24 hours')
  WHERE user_id = $1 AND id = $2 RETURNING previous_secret_until
  `,
);
const DELETE_WEBHOOK = statement(
  'delete_webhook',
  'DELETE FROM webhooks WHERE user_id = $1 AND id = $2 RETURNING id',
);
