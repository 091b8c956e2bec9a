import type { Scope } from '../../core/accounts/scopes.ts';
import type { Sql } from '../connect.ts';
import { insertEvents } from '../insert-events.ts';
import { statement } from '../statement.ts';
import { type ApiKey, KEY_COLUMNS } from './users.ts';

/** One key, if it is of this user; of any user if `userId` is null. Locked until the transaction ends. */
export async function lockKey(
  sql: Sql,
  { id, userId }: { id: string; userId: string | null },
): Promise<ApiKey | null> {
  const [row] = await sql.query<ApiKey>(LOCK_KEY, [id, userId]);
  return row ?? null;
}

const LOCK_KEY = statement(
  'lock_key',
  `SELECT ${KEY_COLUMNS} FROM api_keys WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2) FOR UPDATE`,
);

/** Replaces what can change of a key. */
export async function changeKey(
  sql: Sql,
  key: Pick<ApiKey, 'id' | 'name'> & {
    scopes: readonly Scope[] | null;
    allowed_ips: readonly string[] | null;
    expires_at: Date | string | null;
  },
): Promise<ApiKey | null> {
  const { id, name, scopes, allowed_ips, expires_at } = key;
  const [row] = await sql.query<ApiKey>(CHANGE_KEY, [id, name, scopes, allowed_ips, expires_at]);
  return row ?? null;
}

const CHANGE_KEY = statement(
  'change_key',
  `
  UPDATE api_keys SET name = $2, scopes = $3, allowed_ips = $4, expires_at = $5 WHERE id = $1
  RETURNING ${KEY_COLUMNS}
  `,
);

/**
 * Lets a key end after `seconds`, and what it issued be issued by its successor, so that revoking
 * that one reaches it.
 */
export async function succeedKey(
  sql: Sql,
  { id, successor, seconds }: { id: string; successor: string; seconds: number },
): Promise<ApiKey | null> {
  const [row] = await sql.query<ApiKey>(SUCCEED_KEY, [id, successor, seconds]);
  return row ?? null;
}

const SUCCEED_KEY = statement(
  'succeed_key',
  `
  WITH heirs AS (
    UPDATE api_keys SET issued_by = $2::uuid WHERE issued_by = $1::uuid AND id <> $2::uuid
  )
  UPDATE api_keys SET expires_at = least(expires_at, now() + $3::float8 * interval '1 s') WHERE id = $1::uuid
  RETURNING ${KEY_COLUMNS}
  `,
);

export type RevokedKey = Pick<ApiKey, 'id' | 'user_id' | 'name' | 'prefix'>;

/**
 * Revokes a key, and with `cascade` those that it issued, those that they issued, and so on; of one
 * user, or of all if `userId` is null. Returns those that were valid until now.
 */
export async function revokeKeys(
  sql: Sql,
  key: { id: string; userId: string | null; cascade: boolean; correlationId: string },
): Promise<RevokedKey[]> {
  const revoked: RevokedKey[] = [];
  for (;;) {
    // Repeated: a key issued while a statement waited for its issuer's row is seen by the next one.
    const rows = await sql.query<RevokedKey>(REVOKE_KEYS, [
      key.id,
      key.userId,
      key.cascade,
      key.correlationId,
    ]);
    revoked.push(...rows);
    if (rows.length === 0 || !key.cascade) return revoked;
  }
}

const REVOKE_KEYS = statement(
  'revoke_keys',
  `
  WITH RECURSIVE chosen AS (
    SELECT id FROM api_keys WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2)
    UNION
    SELECT k.id FROM chosen JOIN api_keys k ON k.issued_by = chosen.id
    WHERE $3::boolean AND ($2::uuid IS NULL OR k.user_id = $2)
  ), revoked AS (
    UPDATE api_keys SET revoked_at = now()
    WHERE id IN (SELECT id FROM chosen) AND revoked_at IS NULL
    RETURNING id, user_id, name, prefix
  ), event AS (${insertEvents({
    ...{ from: 'revoked', type: "'user.key_revoked'", jobId: 'NULL', correlationId: '$4' },
    data: "json_build_object('key_id', id, 'name', name)",
  })})
  SELECT id, user_id, name, prefix FROM revoked
  `,
);

/** Records that these keys were used just now. Rows that are being changed are left for later. */
export async function markKeysUsed(sql: Sql, ids: string[]): Promise<void> {
  await sql.query(MARK_KEYS_USED, [ids]);
}

const MARK_KEYS_USED = statement(
  'mark_keys_used',
  `
  UPDATE api_keys SET last_used_at = now()
  WHERE id IN (SELECT id FROM api_keys WHERE id = ANY ($1::uuid[]) FOR NO KEY UPDATE SKIP LOCKED)
  `,
);
