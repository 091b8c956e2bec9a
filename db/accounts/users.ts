import { type Role, type Scope, scopesOf } from '../../core/accounts/scopes.ts';
import type { Database, Sql } from '../connect.ts';
import { insertEvents } from '../insert-events.ts';
import { statement } from '../statement.ts';
import { type AuditRecord, INSTALLATION, writeAudit } from './audit.ts';

export interface User {
  id: string;
  email: string;
  name: string;
  role: Role;
  created_at: Date;
}

/** Null if the e-mail address is taken. */
export async function createUser(
  sql: Sql,
  user: { email: string; name: string; role: Role; correlationId: string },
): Promise<User | null> {
  const [row] = await sql.query<User>(CREATE_USER, [user.email, user.name, user.role, user.correlationId]);
  return row ?? null;
}

const CREATE_USER = statement(
  'create_user',
  `
  WITH created AS (
    INSERT INTO users (email, name, role) VALUES (lower($1), $2, $3)
    ON CONFLICT (email) DO NOTHING
    RETURNING id, email, name, role, created_at
  ), event AS (${insertEvents({
    ...{ from: 'created', type: "'user.registered'", userId: 'id', jobId: 'NULL', correlationId: '$4' },
    data: "json_build_object('user_id', id, 'email', email, 'name', name)",
  })})
  SELECT id, email, name, role, created_at FROM created
  `,
);

export async function findUser(sql: Sql, id: string): Promise<User | null> {
  const [row] = await sql.query<User>(FIND_USER, [id]);
  return row ?? null;
}

const FIND_USER = statement('find_user', 'SELECT id, email, name, role, created_at FROM users WHERE id = $1');

/** Oldest first. */
export const listUsers = (sql: Sql): Promise<User[]> => sql.query<User>(LIST_USERS);

const LIST_USERS = statement(
  'list_users',
  'SELECT id, email, name, role, created_at FROM users ORDER BY created_at, id LIMIT 10000',
);

/** A key as it is shown: never the key itself. */
export interface ApiKey {
  id: string;
  user_id: string;
  name: string;
  /** The first characters of the key, to distinguish keys. */
  prefix: string;
  /** Null: all of its user's. */
  scopes: Scope[] | null;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
}

export async function storeKey(
  sql: Sql,
  key: {
    userId: string;
    name: string;
    prefix: string;
    hash: Buffer;
    scopes: readonly Scope[] | null;
    expiresAt: string | null;
    correlationId: string;
  },
): Promise<ApiKey> {
  const [row] = await sql.query<ApiKey>(STORE_KEY, [
    key.userId,
    key.name,
    key.prefix,
    key.hash,
    key.scopes,
    key.expiresAt,
    key.correlationId,
  ]);
  if (!row) throw new Error('store_key returned no row');
  return row;
}

const KEY_COLUMNS = 'id, user_id, name, prefix, scopes, created_at, expires_at, revoked_at';

const STORE_KEY = statement(
  'store_key',
  `
  WITH issued AS (
    INSERT INTO api_keys (user_id, name, prefix, hash, scopes, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    RETURNING ${KEY_COLUMNS}
  ), event AS (${insertEvents({
    ...{ from: 'issued', type: "'user.key_issued'", jobId: 'NULL', correlationId: '$7' },
    data: "json_build_object('key_id', id, 'name', name)",
  })})
  SELECT ${KEY_COLUMNS} FROM issued
  `,
);

/** Keys of one user, or of all if `userId` is null; newest first. */
export const listKeys = (sql: Sql, userId: string | null): Promise<ApiKey[]> =>
  userId === null ? sql.query<ApiKey>(LIST_KEYS) : sql.query<ApiKey>(LIST_KEYS_OF_USER, [userId]);

const LIST_KEYS = statement(
  'list_keys',
  `SELECT ${KEY_COLUMNS} FROM api_keys ORDER BY created_at DESC, id LIMIT 10000`,
);

/** A separate statement: a condition that may be absent has no index. */
const LIST_KEYS_OF_USER = statement(
  'list_keys_of_user',
  `SELECT ${KEY_COLUMNS} FROM api_keys WHERE user_id = $1 ORDER BY created_at DESC, id LIMIT 10000`,
);

export interface RevokedKey extends Pick<ApiKey, 'user_id' | 'name' | 'prefix'> {
  /** False if it was revoked before. */
  now: boolean;
}

/**
 * Revokes a key of one user, or of any user if `userId` is null; null if there is none.
 * Idempotent.
 */
export async function revokeKey(
  sql: Sql,
  key: { id: string; userId: string | null; correlationId: string },
): Promise<RevokedKey | null> {
  const [row] = await sql.query<RevokedKey>(REVOKE_KEY, [key.id, key.userId, key.correlationId]);
  return row ?? null;
}

const REVOKE_KEY = statement(
  'revoke_key',
  `
  WITH revoked AS (
    UPDATE api_keys SET revoked_at = now()
    WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2) AND revoked_at IS NULL
    RETURNING id, user_id, name
  ), event AS (${insertEvents({
    ...{ from: 'revoked', type: "'user.key_revoked'", jobId: 'NULL', correlationId: '$3' },
    data: "json_build_object('key_id', id, 'name', name)",
  })})
  SELECT user_id, name, prefix, id IN (SELECT id FROM revoked) AS now
  FROM api_keys WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2)
  `,
);

export interface Caller {
  userId: string;
  keyId: string;
  role: Role;
  /** What the key may do. */
  scopes: ReadonlySet<Scope>;
  /** The key's own limit; null: all scopes of its user. */
  keyScopes: readonly Scope[] | null;
  expiresAt: Date | null;
}

/** The user of this key; null if it is unknown, revoked or expired. */
export async function findCaller(sql: Sql, hash: Buffer): Promise<Caller | null> {
  const [row] = await sql.query<Omit<Caller, 'scopes'>>(FIND_CALLER, [hash]);
  return row ? { ...row, scopes: new Set(scopesOf(row.role, row.keyScopes)) } : null;
}

const FIND_CALLER = statement(
  'find_caller',
  `
  SELECT u.id AS "userId", k.id AS "keyId", u.role, k.scopes AS "keyScopes", k.expires_at AS "expiresAt"
  FROM api_keys k JOIN users u ON u.id = k.user_id
  WHERE k.hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
  `,
);

/** Those of these keys that are still valid. */
export async function listGoodKeys(sql: Sql, keyIds: string[]): Promise<Set<string>> {
  const rows = await sql.query<{ id: string }>(LIST_GOOD_KEYS, [keyIds]);
  return new Set(rows.map(({ id }) => id));
}

const LIST_GOOD_KEYS = statement(
  'list_good_keys',
  `
  SELECT id FROM api_keys
  WHERE id = ANY ($1::uuid[]) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
  `,
);

/**
 * Names of the first admin's keys: BOOTSTRAP_API_KEY, and the key that each API process generates
 * and keeps in a file.
 */
const BOOTSTRAP_NAMES = { given: 'bootstrap', made: 'bootstrap (made)' } as const;
const REPLACED = 'bootstrap (replaced)';

/**
 * Ensures that there is a first admin with this key. The key revokes those it replaces: a
 * configured key replaces every other one; a generated key (each machine of a fleet has a file of
 * its own) replaces the configured ones. Safe when several API processes start at once.
 *
 * @returns whether the key is new
 */
export async function ensureAdmin(
  database: Database,
  key: { prefix: string; hash: Buffer; kind?: keyof typeof BOOTSTRAP_NAMES },
): Promise<boolean> {
  const { given, made } = BOOTSTRAP_NAMES;
  const { kind = 'given' } = key;
  return database.transaction(async (sql) => {
    await sql.query(LOCK_ADMIN);
    const [admin] = await sql.query<{ id: string }>(UPSERT_ADMIN, [ADMIN_EMAIL]);
    if (!admin) throw new Error('upsert_admin returned no row');
    const replaced = await sql.query<AuditedKey>(REVOKE_REPLACED, [
      ...[admin.id, key.hash, kind === 'given' ? [given, made] : [given]],
    ]);
    const [stored] = await sql.query<AuditedKey & { is_new: boolean }>(STORE_BOOTSTRAP_KEY, [
      admin.id,
      BOOTSTRAP_NAMES[kind],
      key.prefix,
      key.hash,
    ]);
    await writeAudit(sql, INSTALLATION, [
      ...replaced.map((one) => recordOf('key.revoked', admin.id, one)),
      ...(stored ? [recordOf('key.issued', admin.id, stored)] : []),
    ]);
    return stored?.is_new === true;
  });
}

type AuditedKey = Pick<ApiKey, 'id' | 'name' | 'prefix'>;

const recordOf = (
  action: 'key.issued' | 'key.revoked',
  userId: string,
  { id, name, prefix }: AuditedKey,
): AuditRecord => ({ action, target: { kind: 'key', id, userId }, details: { name, prefix } });

const ADMIN_EMAIL = 'admin@localhost';
const LOCK_ADMIN = statement('lock_admin', 'SELECT pg_advisory_xact_lock(4203002)');
const UPSERT_ADMIN = statement(
  'upsert_admin',
  `
  INSERT INTO users (email, name, role) VALUES ($1, 'Administrator', 'admin')
  ON CONFLICT (email) DO UPDATE SET role = 'admin' RETURNING id
  `,
);
const REVOKE_REPLACED = statement(
  'revoke_replaced_keys',
  `
  WITH revoked AS (
    UPDATE api_keys SET revoked_at = now(), name = '${REPLACED}'
    WHERE user_id = $1 AND hash <> $2 AND name = ANY ($3::text[]) AND revoked_at IS NULL
    RETURNING id, user_id, name, prefix
  ), event AS (${insertEvents({
    ...{ from: 'revoked', type: "'user.key_revoked'", jobId: 'NULL', correlationId: 'gen_random_uuid()' },
    data: "json_build_object('key_id', id, 'name', name)",
  })})
  SELECT id, name, prefix FROM revoked
  `,
);
/**
 * A key that an admin revoked stays revoked; a key that was replaced is valid again once it is
 * configured again.
 */
const STORE_BOOTSTRAP_KEY = statement(
  'store_bootstrap_key',
  `
  INSERT INTO api_keys AS k (user_id, name, prefix, hash) VALUES ($1, $2, $3, $4)
  ON CONFLICT (hash) DO UPDATE SET name = EXCLUDED.name, revoked_at = NULL WHERE k.name = '${REPLACED}'
  RETURNING k.id, k.name, k.prefix, k.xmax = 0 AS is_new
  `,
);
