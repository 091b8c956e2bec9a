import type { AuditAction, AuditTargetKind } from '../../core/accounts/audit.ts';
import type { Sql } from '../connect.ts';
import { type KeysetCursor, keyset, keysetValues, pageOf } from '../keyset.ts';
import { statement } from '../statement.ts';

/** Who acts. All null: the installation itself, as when it starts. */
export interface Actor {
  userId: string | null;
  keyId: string | null;
  /** The client's address behind trusted proxies. */
  address: string | null;
  requestId: string | null;
}

/** A caller of the API. */
export type RequestActor = Actor & { userId: string };

export const INSTALLATION: Actor = { userId: null, keyId: null, address: null, requestId: null };

/** What was done, and to what. */
export interface AuditRecord {
  action: AuditAction;
  /** `userId` is whose it is; absent or null for what is nobody's. `id` is null for several at once. */
  target: { kind: AuditTargetKind; id: string | null; userId?: string | null };
  /** Facts that explain it, as JSON. Never a secret: a key, a password, a signing secret. */
  details?: Record<string, unknown>;
}

/**
 * Records acts. Called in the transaction of the change, so that neither is there without the
 * other. E-mail address and prefix of the key are copied: entries outlive users and keys.
 */
export async function writeAudit(
  sql: Sql,
  actor: Actor,
  records: AuditRecord | readonly AuditRecord[],
): Promise<void> {
  const rows = [records].flat().map(({ action, target, details = {} }) => ({
    ...{ action, details },
    ...{ target_kind: target.kind, target_id: target.id, target_user_id: target.userId ?? null },
  }));
  if (rows.length === 0) return;
  const { userId, keyId, address, requestId } = actor;
  await sql.query(WRITE_AUDIT, [userId, keyId, address, requestId, JSON.stringify(rows)]);
}

const WRITE_AUDIT = statement(
  'write_audit',
  `
  INSERT INTO audit_log (user_id, user_email, key_id, key_prefix, address, request_id,
                         action, target_kind, target_id, target_user_id, details)
  SELECT $1::uuid, (SELECT email FROM users WHERE id = $1), $2::uuid, (SELECT prefix FROM api_keys WHERE id = $2),
         $3, $4, action, target_kind, target_id, target_user_id, details
  FROM json_to_recordset($5) AS r (action text, target_kind text, target_id text, target_user_id uuid, details json)
  `,
);

/** An entry as the API shows it. */
export interface AuditEntry {
  id: string;
  action: AuditAction;
  /** Who did it, as they were then. All null: the installation itself. */
  actor: {
    user_id: string | null;
    email: string | null;
    key_id: string | null;
    key_prefix: string | null;
    address: string | null;
  };
  /** `user_id`: whose it is or was. */
  target: { kind: AuditTargetKind; id: string | null; user_id: string | null };
  details: Record<string, unknown>;
  request_id: string | null;
  created_at: Date;
}

export interface AuditFilter {
  /** Who did it. */
  userId?: string | undefined;
  keyId?: string | undefined;
  target?: string | undefined;
  action?: AuditAction | undefined;
  createdAfter?: string | undefined;
  createdBefore?: string | undefined;
}

/** Newest first. */
export async function listAudit(
  sql: Sql,
  { userId, keyId, target, action, createdAfter, createdBefore }: AuditFilter,
  page: { limit: number; after: KeysetCursor | null },
): Promise<{ entries: AuditEntry[]; next: KeysetCursor | null }> {
  const given = { target_id: target, key_id: keyId, user_id: userId, action };
  const values = Object.values(given).map((value) => value ?? null);
  const leading = COLUMNS.find((column) => given[column] !== undefined) ?? 'created_at';
  const rows = await sql.query<AuditRow>(LIST_AUDIT[leading], [
    ...[...keysetValues(page.after), page.limit + 1],
    ...[createdAfter ?? '-infinity', createdBefore ?? 'infinity'],
    ...values,
  ]);
  const { items, next } = pageOf(rows, page.limit, toEntry);
  return { entries: items, next };
}

/** The columns that have an index, the most selective first. */
const COLUMNS = ['target_id', 'key_id', 'user_id', 'action'] as const;

/** One per index: a condition that may be absent has none. */
const LIST_AUDIT = {
  target_id: listBy('target_id'),
  key_id: listBy('key_id'),
  user_id: listBy('user_id'),
  action: listBy('action'),
  created_at: listBy(null),
};

function listBy(leading: (typeof COLUMNS)[number] | null) {
  const order = keyset('created_at', 'id');
  const conditions = COLUMNS.map((column, at) => {
    const parameter = `$${at + 6}::${column === 'key_id' || column === 'user_id' ? 'uuid' : 'text'}`;
    return column === leading
      ? `${column} = ${parameter}`
      : `(${parameter} IS NULL OR ${column} = ${parameter})`;
  });
  return statement(
    leading === null ? 'list_audit' : `list_audit_by_${leading}`,
    `
    SELECT id, ${order.column}, action, user_id, user_email, key_id, key_prefix, address, target_kind, target_id,
           target_user_id, details, request_id, created_at
    FROM audit_log
    WHERE ${order.behind('$1', '$2')} AND created_at >= $4::timestamptz AND created_at < $5::timestamptz
      AND ${conditions.join(' AND ')}
    ORDER BY ${order.order} LIMIT $3
    `,
  );
}

interface AuditRow {
  id: string;
  cursor: string;
  action: AuditAction;
  user_id: string | null;
  user_email: string | null;
  key_id: string | null;
  key_prefix: string | null;
  address: string | null;
  target_kind: AuditTargetKind;
  target_id: string | null;
  target_user_id: string | null;
  details: Record<string, unknown>;
  request_id: string | null;
  created_at: Date;
}

const toEntry = (row: AuditRow): AuditEntry => ({
  ...{ id: row.id, action: row.action },
  actor: {
    ...{ user_id: row.user_id, email: row.user_email },
    ...{ key_id: row.key_id, key_prefix: row.key_prefix, address: row.address },
  },
  target: { kind: row.target_kind, id: row.target_id, user_id: row.target_user_id },
  ...{ details: row.details, request_id: row.request_id, created_at: row.created_at },
});
