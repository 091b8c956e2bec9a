import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/** An address that receives signed messages. */
export interface Webhook {
  id: string;
  url: string;
  description: string;
  failing_since: Date | null;
  paused_at: Date | null;
  /** `failing` for days, `gone` (it answered 410), or paused by its `user`. */
  paused_reason: 'failing' | 'gone' | 'user' | null;
  created_at: Date;
}

/** The Standard Webhooks format of a secret. */
const shownSecret = (secret: Buffer): string => `whsec_${secret.toString('base64')}`;

/** The user's endpoint of this URL, created if there is none; `fresh` says which. */
export async function ensureWebhook(
  sql: Sql,
  endpoint: { userId: string; url: string; description: string | null; secret: Buffer },
): Promise<{ webhook: Webhook; secret: string; fresh: boolean }> {
  const [made] = await sql.query<Webhook & { secret: Buffer }>(CREATE_WEBHOOK, [
    endpoint.userId,
    endpoint.url,
    endpoint.description ?? '',
    endpoint.secret,
  ]);
  const [row] = made
    ? [made]
    : await sql.query<Webhook & { secret: Buffer }>(FIND_BY_URL, [endpoint.userId, endpoint.url]);
  if (!row) throw new Error('create_webhook returned no row');
  const { secret, ...webhook } = row;
  return { webhook, secret: shownSecret(secret), fresh: made !== undefined };
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
  return [row.secret, ...(row.previous_secret ? [row.previous_secret] : [])].map(shownSecret);
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
  rotation: { secret: Buffer; oldValidUntil: string | null },
): Promise<{ secret: string; oldValidUntil: Date } | null> {
  const values = [userId, id, rotation.secret, rotation.oldValidUntil];
  const [row] = await sql.query<{ secret: Buffer; previous_secret_until: Date }>(ROTATE_SECRET, values);
  return row ? { secret: shownSecret(row.secret), oldValidUntil: row.previous_secret_until } : null;
}

/** With its subscriptions and deliveries. */
export async function deleteWebhook(sql: Sql, userId: string, id: string): Promise<boolean> {
  const rows = await sql.query(DELETE_WEBHOOK, [userId, id]);
  return rows.length > 0;
}

const COLUMNS = 'id, url, description, failing_since, paused_at, paused_reason, created_at';

const CREATE_WEBHOOK = statement(
  'create_webhook',
  `
  INSERT INTO webhooks (user_id, url, description, secret) VALUES ($1, $2, $3, $4)
  ON CONFLICT DO NOTHING RETURNING ${COLUMNS}, secret
  `,
);
const FIND_BY_URL = statement(
  'find_webhook_by_url',
  `SELECT ${COLUMNS}, secret FROM webhooks WHERE user_id = $1 AND md5(url) = md5($2)`,
);
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
  WHERE user_id = $1 AND id = $2 RETURNING secret, previous_secret_until
  `,
);
const DELETE_WEBHOOK = statement(
  'delete_webhook',
  'DELETE FROM webhooks WHERE user_id = $1 AND id = $2 RETURNING id',
);
