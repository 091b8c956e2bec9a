import { createHmac } from 'node:crypto';
import { type Identity, nationalNumber, type SuppressionKind } from '../../core/suppressions/identity.ts';
import type { Sql } from '../connect.ts';
import { type KeysetCursor, keyset, keysetValues, pageOf } from '../keyset.ts';
import { suppressionKey } from '../secrets/installation-secrets.ts';
import { statement } from '../statement.ts';

/** What later jobs do not store, by hashes that only this installation can compute. */

export interface Suppression {
  id: string;
  /** Whose data; null: those of all users. */
  user_id: string | null;
  kind: SuppressionKind;
  /** Null if it is known as a hash only: that of an erasure. */
  value: string | null;
  reason: string | null;
  requested_by: string;
  created_at: Date;
  /** How often it kept something from being stored. */
  hits: number;
  last_hit_at: Date | null;
}

export async function addSuppression(
  sql: Sql,
  suppression: {
    identity: Identity;
    userId: string | null;
    requestedBy: string;
    reason: string | undefined;
    /** Whether the value may be read later. */
    readable: boolean;
  },
): Promise<Suppression> {
  const { identity, userId, requestedBy, reason, readable } = suppression;
  const key = await suppressionKey(sql);
  const national = identity.kind === 'phone' ? nationalNumber(identity) : null;
  const [row] = await sql.query<SuppressionRow>(ADD_SUPPRESSION, [
    ...[userId, identity.kind, hashOf(key, identity), national && hashOf(key, national)],
    ...[readable ? identity.value : null, reason ?? null, requestedBy],
  ]);
  if (!row) throw new Error('add_suppression returned no row');
  return toSuppression(row);
}

const hashOf = (key: string, { kind, value }: Identity): Buffer =>
  createHmac('sha256', key).update(`${kind}\0${value}`).digest();

type SuppressionRow = Suppression & { cursor: string };
const toSuppression = ({ cursor: _, ...row }: SuppressionRow): Suppression => row;

const NEWEST = keyset('created_at', 'id');
const COLUMNS = `
  id, user_id, kind, value, reason, requested_by, created_at, hits::float8 AS hits, last_hit_at, ${NEWEST.column}`;

/** One that exists stays as it is, but for a value: an erasure makes it unreadable. */
const ADD_SUPPRESSION = statement(
  'add_suppression',
  `
  INSERT INTO suppressions AS s (user_id, kind, hash, national_hash, value, reason, requested_by)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (hash, coalesce(user_id, '00000000-0000-0000-0000-000000000000'))
    DO UPDATE SET value = CASE WHEN excluded.value IS NULL THEN NULL ELSE s.value END
  RETURNING ${COLUMNS}
  `,
);

/** Those that hold for a user's data, newest first; all if `userId` is null. */
export async function listSuppressions(
  sql: Sql,
  { userId, limit, after }: { userId: string | null; limit: number; after: KeysetCursor | null },
): Promise<{ suppressions: Suppression[]; next: KeysetCursor | null }> {
  const values = [limit + 1, ...keysetValues(after)];
  const rows = await (userId === null
    ? sql.query<SuppressionRow>(LIST_SUPPRESSIONS, values)
    : sql.query<SuppressionRow>(LIST_SUPPRESSIONS_OF, [...values, userId]));
  const { items, next } = pageOf(rows, limit, toSuppression);
  return { suppressions: items, next };
}

const LIST_SUPPRESSIONS = statement(
  'list_suppressions',
  `SELECT ${COLUMNS} FROM suppressions WHERE ${NEWEST.behind('$2', '$3')} ORDER BY ${NEWEST.order} LIMIT $1`,
);

const LIST_SUPPRESSIONS_OF = statement(
  'list_suppressions_of',
  `
  SELECT ${COLUMNS} FROM suppressions WHERE user_id = $4 AND ${NEWEST.behind('$2', '$3')} ORDER BY ${NEWEST.order} LIMIT $1
  `,
);

/** @param userId whose; null: any. False if there is none. */
export async function removeSuppression(sql: Sql, id: string, userId: string | null): Promise<boolean> {
  return (await sql.query(REMOVE_SUPPRESSION, [id, userId])).length > 0;
}

const REMOVE_SUPPRESSION = statement(
  'remove_suppression',
  'DELETE FROM suppressions WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2) RETURNING id',
);

/** Those of these that may not be stored for a user, as they were given; each match counts. */
export async function findSuppressed(
  sql: Sql,
  userId: string,
  identities: readonly Identity[],
): Promise<Identity[]> {
  if (identities.length === 0) return [];
  const key = await suppressionKey(sql);
  const hashed = identities.map((identity) => {
    const national = identity.kind === 'phone' ? nationalNumber(identity) : null;
    return {
      identity,
      hash: hashOf(key, identity),
      // Only a suppressed number that was given without its country is that of any country.
      national: national && hashOf(key, national),
      isNational: identity.kind === 'phone' && national === null,
    };
  });
  const rows = await sql.query<{ hash: Buffer; national_hash: Buffer | null }>(FIND_SUPPRESSED, [
    userId,
    hashed.flatMap(({ hash, national }) => (national ? [hash, national] : [hash])),
    hashed.flatMap(({ hash, isNational }) => (isNational ? [hash] : [])),
  ]);
  if (rows.length === 0) return [];
  const found = new Set(rows.map(({ hash }) => hex(hash)));
  const nationals = new Set(rows.map(({ national_hash }) => hex(national_hash)));
  return hashed
    .filter(
      ({ hash, national, isNational }) =>
        found.has(hex(hash)) ||
        (national !== null && found.has(hex(national))) ||
        (isNational && nationals.has(hex(hash))),
    )
    .map(({ identity }) => identity);
}

const hex = (bytes: Buffer | null): string => bytes?.toString('hex') ?? '';

/** One index after the other: a condition over both would be one plan over neither. */
const FIND_SUPPRESSED = statement(
  'find_suppressed',
  `
  WITH found AS (
    SELECT id FROM suppressions WHERE hash = ANY ($2::bytea[]) AND (user_id IS NULL OR user_id = $1)
    UNION
    SELECT id FROM suppressions WHERE national_hash = ANY ($3::bytea[]) AND (user_id IS NULL OR user_id = $1)
  )
  UPDATE suppressions s SET hits = hits + 1, last_hit_at = now() FROM found WHERE s.id = found.id
  RETURNING s.hash, s.national_hash
  `,
);
