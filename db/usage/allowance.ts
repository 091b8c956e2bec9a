import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import type { Exhausted } from './accounting.ts';
import { NEXT_MONTH, THIS_MONTH, TODAY, TOMORROW } from './days.ts';

/**
 * The limit of pages or bytes that leaves nothing for this job; null if there is none. Of several
 * the one that is free again last.
 */
export async function findExhausted(sql: Sql, jobId: string): Promise<Exhausted | null> {
  const [row] = await sql.query<Exhausted>(FIND_EXHAUSTED, [jobId]);
  return row ?? null;
}

/** Pages of an owner since a day. `o` has the user's and the owner's id. */
export const PAGES_SINCE = (day: string): string => `
  (SELECT coalesce(sum(d.pages), 0)::bigint FROM usage_daily d
   WHERE d.user_id = o.user_id AND d.owner_id = o.owner_id AND d.day >= ${day})`;

/** Bytes of a user: never below zero, should pages have been changed behind its back. */
export const BYTES_OF = (userId: string): string => `
  (SELECT greatest(coalesce(sum(s.bytes), 0), 0)::bigint FROM storage_usage s WHERE s.user_id = ${userId})`;

/**
 * The quotas of `owners (user_id, owner_id, scope, limits)`: what is used of each limit that is
 * set. What is not limited is not summed up.
 *
 * @param more columns of `owners o` to return too
 */
export const QUOTAS_OF = (owners: string, more = 'o.owner_id'): string => `
  SELECT ${more}, o.user_id, o.scope, l.name, l.value, l.free_at,
         CASE l.name WHEN 'pages_per_day' THEN ${PAGES_SINCE(TODAY)} WHEN 'pages_per_month' THEN ${PAGES_SINCE(THIS_MONTH)}
                     ELSE ${BYTES_OF('o.user_id')} END AS used
  FROM ${owners} o, LATERAL (VALUES
    ('pages_per_day', (o.limits->>'pages_per_day')::bigint, ${TOMORROW}),
    ('pages_per_month', (o.limits->>'pages_per_month')::bigint, ${NEXT_MONTH}),
    ('stored_bytes', CASE o.scope WHEN 'user' THEN (o.limits->>'stored_bytes')::bigint END, NULL)
  ) AS l (name, value, free_at)
  WHERE l.value IS NOT NULL`;

const FIND_EXHAUSTED = statement(
  'find_exhausted',
  `
  WITH owners AS (
    SELECT j.user_id, o.owner_id, o.scope, o.limits
    FROM jobs j JOIN users u ON u.id = j.user_id
    LEFT JOIN role_limits r ON r.role = u.role LEFT JOIN api_keys k ON k.id = j.key_id,
    LATERAL (VALUES (j.user_id, 'user', coalesce(r.limits, '{}') || u.limits), (j.key_id, 'key', k.limits))
      AS o (owner_id, scope, limits)
    WHERE j.id = $1 AND o.owner_id IS NOT NULL
  ), quotas AS (${QUOTAS_OF('owners')})
  SELECT name AS limit, scope, used::float8, value::float8 AS "limitValue", free_at AS "freeAt",
         extract(epoch FROM free_at - now())::float8 * 1000 AS "waitMs"
  FROM quotas WHERE used >= value ORDER BY free_at DESC NULLS FIRST LIMIT 1
  `,
);
