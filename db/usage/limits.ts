import type { LimitName, Limits } from '../../core/accounts/limits.ts';
import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/** Records what the settings say of each role; a role that is not named has no limits. */
export async function declareRoleLimits(sql: Sql, limits: Record<string, Limits>): Promise<void> {
  await sql.query(DECLARE_ROLE_LIMITS, [JSON.stringify(limits)]);
}

const DECLARE_ROLE_LIMITS = statement(
  'declare_role_limits',
  `
  INSERT INTO role_limits AS r (role, limits)
  SELECT key, value FROM jsonb_each($1::jsonb) ORDER BY key
  ON CONFLICT (role) DO UPDATE SET limits = excluded.limits WHERE r.limits <> excluded.limits
  `,
);

export interface UserLimits {
  userId: string;
  role: string;
  /** What holds. */
  limits: Limits;
  own: Limits;
  ofRole: Limits;
}

export async function findLimits(sql: Sql, userId: string): Promise<UserLimits | null> {
  const [row] = await sql.query<UserLimits>(FIND_LIMITS, [userId]);
  return row ?? null;
}

const LIMITS_OF = `
  SELECT u.id AS "userId", u.role, coalesce(r.limits, '{}') || u.limits AS limits, u.limits AS own,
         coalesce(r.limits, '{}') AS "ofRole"
  FROM`;

const FIND_LIMITS = statement(
  'find_limits',
  `${LIMITS_OF} users u LEFT JOIN role_limits r ON r.role = u.role WHERE u.id = $1`,
);

/**
 * Sets limits of a user, and leaves those of `toDefault` to the role; null if there is no such
 * user. Jobs that wait for a limit go on: those that still exceed one will wait again.
 */
export async function changeLimits(
  sql: Sql,
  userId: string,
  change: { set: Limits; toDefault: LimitName[] },
): Promise<UserLimits | null> {
  const values = [userId, JSON.stringify(change.set), change.toDefault];
  const [row] = await sql.query<UserLimits>(CHANGE_LIMITS, values);
  return row ?? null;
}

const CHANGE_LIMITS = statement(
  'change_limits',
  `
  WITH changed AS (
    UPDATE users SET limits = (limits || $2::jsonb) - $3::text[] WHERE id = $1 RETURNING id, role, limits
  ), woken AS (
    UPDATE jobs SET run_at = now()
    WHERE id IN (SELECT j.id FROM changed, jobs j
                 WHERE j.user_id = $1 AND j.status = 'retrying' AND j.error_code = 'limit_reached'
                 FOR UPDATE OF j SKIP LOCKED)
  )
  ${LIMITS_OF} changed u LEFT JOIN role_limits r ON r.role = u.role
  `,
);
