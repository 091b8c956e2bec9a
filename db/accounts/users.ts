import type { KeyLimits, Limits } from '../../core/accounts/limits.ts';
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
  /** Since when its keys are refused and its waiting jobs do not start; null: it is enabled. */
  disabled_at: Date | null;
}

export const USER_COLUMNS = 'id, email, name, role, created_at, disabled_at';

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
    RETURNING ${USER_COLUMNS}
  ), event AS (${insertEvents({
    ...{ from: 'created', type: "'user.registered'", userId: 'id', jobId: 'NULL', correlationId: '$4' },
    data: "json_build_object('user_id', id, 'email', email, 'name', name)",
  })})
  SELECT ${USER_COLUMNS} FROM created
  `,
);

export async function findUser(sql: Sql, id: string): Promise<User | null> {
  const [row] = await sql.query<User>(FIND_USER, [id]);
  return row ?? null;
}

const FIND_USER = statement(
  'find_user',
  `SELECT ${USER_COLUMNS} FROM users WHERE id = $1 AND deletion_id IS NULL`,
);

/** Oldest first. */
export const listUsers = (sql: Sql): Promise<User[]> => sql.query<User>(LIST_USERS);

const LIST_USERS = statement(
  'list_users',
  `SELECT ${USER_COLUMNS} FROM users WHERE deletion_id IS NULL ORDER BY created_at, id LIMIT 10000`,
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
  /** Addresses and ranges that it may be used from; null: anywhere. */
  allowed_ips: string[] | null;
  /** Id of the key that issued it; null: it is the first admin's, or older than this record. */
  issued_by: string | null;
  /** To about a minute. */
  last_used_at: Date | null;
  limits: KeyLimits;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
}

/** Null if the key that issues it was revoked meanwhile. */
export async function storeKey(
  sql: Sql,
  key: {
    userId: string;
    name: string;
    prefix: string;
    hash: Buffer;
    scopes: readonly Scope[] | null;
    allowedIps: readonly string[] | null;
    /** The key that issues it. */
    issuedBy: string;
    expiresAt: string | null;
    limits: KeyLimits;
    correlationId: string;
  },
): Promise<ApiKey | null> {
  const [row] = await sql.query<ApiKey>(STORE_KEY, [
    key.userId,
    key.name,
    key.prefix,
    key.hash,
    key.scopes,
    key.expiresAt,
    key.correlationId,
    key.allowedIps,
    key.issuedBy,
    JSON.stringify(key.limits),
  ]);
  return row ?? null;
}

export const KEY_COLUMNS = `
  id, user_id, name, prefix, scopes, allowed_ips, limits, issued_by, created_at, expires_at, revoked_at, last_used_at`;

const STORE_KEY = statement(
  'store_key',
  `
  WITH issuer AS (
    -- Locked: a revocation of it waits, and then finds this key too.
    SELECT id FROM api_keys WHERE id = $9::uuid AND revoked_at IS NULL FOR SHARE
  ), issued AS (
    INSERT INTO api_keys (user_id, name, prefix, hash, scopes, expires_at, allowed_ips, issued_by, limits)
    SELECT $1, $2, $3, $4, $5, $6, $8, id, $10 FROM issuer
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

export interface Caller {
  userId: string;
  keyId: string;
  role: Role;
  /** What the key may do. */
  scopes: ReadonlySet<Scope>;
  /** The key's own limit; null: all scopes of its user. */
  keyScopes: readonly Scope[] | null;
  /** Addresses and ranges that the key may be used from; null: anywhere. */
  allowedIps: readonly string[] | null;
  expiresAt: Date | null;
  /** The user's own and, where those are silent, the role's. */
  limits: Limits;
  keyLimits: KeyLimits;
}

export type KeyRefusal = 'key_revoked' | 'key_expired' | 'user_disabled';

/** A key that was issued: its caller, or why it is of no use. */
export type FoundKey = { kind: 'valid'; caller: Caller } | { kind: 'refused'; code: KeyRefusal };

/** The keys with these hashes, by the base64 of the hash; unknown ones are absent. */
export async function findKeys(sql: Sql, hashes: readonly Buffer[]): Promise<Map<string, FoundKey>> {
  const rows = await sql.query<Omit<Caller, 'scopes'> & { hash: Buffer; refusal: KeyRefusal | null }>(
    FIND_KEYS,
    [hashes],
  );
  return new Map(
    rows.map(({ hash, refusal, ...row }) => [
      hash.toString('base64'),
      refusal
        ? { kind: 'refused', code: refusal }
        : { kind: 'valid', caller: { ...row, scopes: new Set(scopesOf(row.role, row.keyScopes)) } },
    ]),
  );
}

const FIND_KEYS = statement(
  'find_keys',
  `
  SELECT k.hash, u.id AS "userId", k.id AS "keyId", u.role, k.scopes AS "keyScopes", k.allowed_ips AS "allowedIps",
         k.expires_at AS "expiresAt", coalesce(r.limits, '{}') || u.limits AS limits, k.limits AS "keyLimits",
         CASE WHEN k.revoked_at IS NOT NULL THEN 'key_revoked'
              WHEN k.expires_at <= now() THEN 'key_expired'
              WHEN u.disabled_at IS NOT NULL OR u.deletion_id IS NOT NULL THEN 'user_disabled' END AS refusal
  FROM api_keys k JOIN users u ON u.id = k.user_id LEFT JOIN role_limits r ON r.role = u.role
  WHERE k.hash = ANY ($1::bytea[])
  `,
);

/**
 * Those of these callers whose key is as it was: valid, of an enabled user, with the same role,
 * scopes and addresses.
 */
export async function findUnchangedCallers(sql: Sql, callers: ReadonlySet<Caller>): Promise<Set<Caller>> {
  const keyIds = new Set([...callers].map(({ keyId }) => keyId));
  const rows = await sql.query<Omit<Caller, 'scopes'>>(LIST_GOOD_KEYS, [[...keyIds]]);
  const now = new Map(rows.map((row) => [row.keyId, row]));
  const isSame = (caller: Caller) => {
    const row = now.get(caller.keyId);
    return row !== undefined && fingerprint(row) === fingerprint(caller);
  };
  return new Set([...callers].filter(isSame));
}

const fingerprint = ({ role, keyScopes, allowedIps }: Omit<Caller, 'scopes'>): string =>
  JSON.stringify([role, keyScopes, allowedIps]);

const LIST_GOOD_KEYS = statement(
  'list_good_keys',
  `
  SELECT u.id AS "userId", k.id AS "keyId", u.role, k.scopes AS "keyScopes", k.allowed_ips AS "allowedIps",
         k.expires_at AS "expiresAt"
  FROM api_keys k JOIN users u ON u.id = k.user_id
  WHERE k.id = ANY ($1::uuid[]) AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
    AND u.disabled_at IS NULL
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
    const [admin] = await sql.query<{ id: string }>(UPSERT_ADMIN, [ADMIN_EMAIL, kind === 'given']);
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
/** Held while the number of admins changes. */
export const LOCK_ADMIN = statement('lock_admin', 'SELECT pg_advisory_xact_lock(4203002)');
/** A configured key is the operator's way back in: its user is an enabled admin. */
const UPSERT_ADMIN = statement(
  'upsert_admin',
  `
  WITH known AS (
    UPDATE users SET role = CASE WHEN $2 THEN 'admin' ELSE role END, disabled_at = CASE WHEN $2 THEN NULL ELSE disabled_at END
    WHERE is_first RETURNING id
  ), made AS (
    INSERT INTO users (email, name, role, is_first) SELECT $1, 'Administrator', 'admin', true
    WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (email) DO UPDATE SET role = 'admin', is_first = true RETURNING id
  )
  SELECT id FROM known UNION ALL SELECT id FROM made
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
