import { randomBytes } from 'node:crypto';
import type { Sql } from '../connect.ts';
import { place } from '../secrets/places.ts';

/** Standard Webhooks requires 24 to 64 random bytes. */
const SECRET_BYTES = 32;

/** A new signing secret, base64. */
export const generateSecret = (): string => randomBytes(SECRET_BYTES).toString('base64');

export const sealWebhookSecret = (sql: Sql, receiverId: string, secret: string): Buffer =>
  sql.secrets.seal(secret, place.webhookSecret(receiverId));

/**
 * The signing secret, base64; one from before secrets were encrypted too.
 * @throws SecretUnreadable
 */
export const openWebhookSecret = (sql: Sql, receiverId: string, sealed: Buffer): string =>
  sealed.length === SECRET_BYTES
    ? sealed.toString('base64')
    : sql.secrets.open(sealed, place.webhookSecret(receiverId));

export const sealWebhookLogin = (sql: Sql, id: string, authorization: string): Buffer =>
  sql.secrets.seal(authorization, place.webhookLogin(id));

/** Value of the header `Authorization`. @throws SecretUnreadable */
export const openWebhookLogin = (sql: Sql, id: string, sealed: Buffer): string =>
  sql.secrets.open(sealed, place.webhookLogin(id));
