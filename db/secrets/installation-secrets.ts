import { randomBytes } from 'node:crypto';
import { generateVapidKeys, type VapidKeys } from '../../core/notifications/vapid.ts';
import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { place } from './places.ts';

// Keys of the installation, each made by the first process that needs it and then shared by all.

/** Signs the links that stop mails. @throws SecretUnreadable */
export const unsubscribeKey = (sql: Sql): Promise<string> =>
  installationSecret(sql, 'unsubscribe', () => randomBytes(32).toString('base64url'));

/** Hashes what is suppressed. @throws SecretUnreadable */
export const suppressionKey = (sql: Sql): Promise<string> =>
  installationSecret(sql, 'suppressions', () => randomBytes(32).toString('base64url'));

/** The key pair for web push: the operator's, else the installation's. @throws SecretUnreadable */
export async function vapidKeys(sql: Sql, given: VapidKeys | undefined): Promise<VapidKeys> {
  if (given) return given;
  const kept = await installationSecret(sql, 'vapid_keys', () => JSON.stringify(generateVapidKeys()));
  return JSON.parse(kept) as VapidKeys;
}

/** @param make its value is discarded if another process was faster */
async function installationSecret(sql: Sql, name: string, make: () => string): Promise<string> {
  const [known] = await sql.query<{ value: string }>(FIND_SECRET, [name]);
  if (known) return opened(sql, name, known.value);
  await sql.query(KEEP_SECRET, [name, sealedText(sql, name, make())]);
  const [kept] = await sql.query<{ value: string }>(FIND_SECRET, [name]);
  if (!kept) throw new Error(`secret ${name} was not kept`);
  return opened(sql, name, kept.value);
}

/** Seals those again that another key has encrypted, or none. */
export async function resealInstallationSecrets(sql: Sql): Promise<number> {
  const rows = await sql.query<{ name: string; value: string }>(LIST_SECRETS);
  const [current = ''] = sql.secrets.keyIds;
  const stale = rows.filter(({ value }) => !isSealedWith(value, current));
  for (const { name, value } of stale) {
    await sql.query(REPLACE_SECRET, [name, value, sealedText(sql, name, opened(sql, name, value))]);
  }
  return stale.length;
}

/** Before values were encrypted, they had no prefix. */
const SEALED = 'sealed:';

const sealedText = (sql: Sql, name: string, value: string): string =>
  `${SEALED}${sql.secrets.seal(value, place.installation(name)).toString('base64')}`;

const bytesOf = (value: string): Buffer => Buffer.from(value.slice(SEALED.length), 'base64');

const opened = (sql: Sql, name: string, value: string): string =>
  value.startsWith(SEALED) ? sql.secrets.open(bytesOf(value), place.installation(name)) : value;

const isSealedWith = (value: string, keyId: string): boolean =>
  value.startsWith(SEALED) && bytesOf(value).subarray(1, 5).toString('hex') === keyId;

const FIND_SECRET = statement('find_secret', 'SELECT value FROM installation_secrets WHERE name = $1');
const KEEP_SECRET = statement(
  'keep_secret',
  'INSERT INTO installation_secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING',
);
const LIST_SECRETS = statement(
  'list_installation_secrets',
  'SELECT name, value FROM installation_secrets ORDER BY name',
);
const REPLACE_SECRET = statement(
  'replace_installation_secret',
  'UPDATE installation_secrets SET value = $3 WHERE name = $1 AND value = $2',
);
