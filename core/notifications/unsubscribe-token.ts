import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whose mail to which address a link ends. */
export interface Unsubscription {
  userId: string;
  address: string;
}

/** Signed with the installation's own key, so that a link ends what it was made for and nothing else. It never expires: old mails are read too. */
export function unsubscribeToken({ userId, address }: Unsubscription, key: string): string {
  const body = Buffer.from(JSON.stringify([userId, address])).toString('base64url');
  return `${body}.${signature(body, key)}`;
}

/** Null where this installation made no such token. */
export function readUnsubscribeToken(token: string, key: string): Unsubscription | null {
  const [body = '', signed = ''] = token.split('.');
  const expected = Buffer.from(signature(body, key));
  const given = Buffer.from(signed);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const [userId, address] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string, string];
  return { userId, address };
}

/** The name under which the key is kept. */
export const UNSUBSCRIBE_KEY = 'unsubscribe';

const signature = (body: string, key: string): string =>
  createHmac('sha256', key).update(body).digest('base64url');
