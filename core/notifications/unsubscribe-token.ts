import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whose mail, and to which address, a token stops. */
export interface Unsubscription {
  userId: string;
  address: string;
}

/**
 * Signed with the installation's key, so it cannot be forged. Never expires: old mails are opened
 * too.
 */
export function unsubscribeToken({ userId, address }: Unsubscription, key: string): string {
  const body = Buffer.from(JSON.stringify([userId, address])).toString('base64url');
  return `${body}.${signature(body, key)}`;
}

/** Null unless this installation issued the token. */
export function readUnsubscribeToken(token: string, key: string): Unsubscription | null {
  const [body = '', signed = ''] = token.split('.');
  const expected = Buffer.from(signature(body, key));
  const given = Buffer.from(signed);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const [userId, address] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string, string];
  return { userId, address };
}

const signature = (body: string, key: string): string =>
  createHmac('sha256', key).update(body).digest('base64url');
