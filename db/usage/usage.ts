import type { KeyLimits, Limits } from '../../core/accounts/limits.ts';
import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { BYTES_OF, PAGES_SINCE } from './allowance.ts';
import { NEXT_MONTH, THIS_MONTH, TODAY, TOMORROW } from './days.ts';

/** What a user has used. Days and months are those of UTC. */
export interface Usage {
  userId: string;
  limits: Limits;
  pagesToday: number;
  pagesThisMonth: number;
  storedBytes: number;
  running: number;
  waiting: number;
  /** As other API processes counted them in the last seconds. */
  requestsPerSecond: number;
  tomorrow: Date;
  nextMonth: Date;
  /** The last 31 days and 12 months, newest first; those without pages are absent. */
  byDay: { day: string; pages: number }[];
  byMonth: { month: string; pages: number }[];
  keys: { id: string; name: string; limits: KeyLimits; pagesToday: number; pagesThisMonth: number }[];
}

export async function readUsage(sql: Sql, userId: string): Promise<Usage | null> {
  const [row] = await sql.query<Usage>(READ_USAGE, [userId]);
  return row ?? null;
}

const WAITING = `status IN ('scheduled', 'queued', 'retrying')`;

const COUNTS_OF = (userId: string): string => `
  (SELECT count(*) FROM jobs j WHERE j.user_id = ${userId} AND j.status = 'running')::int AS running,
  (SELECT count(*) FROM jobs j WHERE j.user_id = ${userId} AND j.${WAITING})::int AS waiting`;

const READ_USAGE = statement(
  'read_usage',
  `
  WITH days AS MATERIALIZED (
    SELECT d.owner_id, d.day, sum(d.pages) AS pages FROM usage_daily d
    WHERE d.user_id = $1 AND d.owner_id = $1 AND d.day >= (${THIS_MONTH} - interval '11 months')::date
    GROUP BY d.owner_id, d.day
  )
  SELECT o.user_id AS "userId", o.limits, ${PAGES_SINCE(TODAY)}::float8 AS "pagesToday",
         ${PAGES_SINCE(THIS_MONTH)}::float8 AS "pagesThisMonth", ${BYTES_OF('o.user_id')}::float8 AS "storedBytes",
         ${COUNTS_OF('o.user_id')},
         coalesce((SELECT sum(per_second) FROM request_rates q
                   WHERE q.user_id = o.user_id AND q.counted_at > now() - interval '3 s'), 0)::float8 AS "requestsPerSecond",
         ${TOMORROW} AS tomorrow, ${NEXT_MONTH} AS "nextMonth",
         (SELECT coalesce(json_agg(json_build_object('day', day::text, 'pages', pages) ORDER BY day DESC), '[]')
          FROM days WHERE day > ${TODAY} - 31 AND pages > 0) AS "byDay",
         (SELECT coalesce(json_agg(json_build_object('month', month, 'pages', pages) ORDER BY month DESC), '[]')
          FROM (SELECT to_char(day, 'YYYY-MM') AS month, sum(pages) AS pages FROM days WHERE pages > 0 GROUP BY 1) AS m) AS "byMonth",
         (SELECT coalesce(json_agg(json_build_object(
                   'id', k.id, 'name', k.name, 'limits', k.limits, 'pagesToday', k.today, 'pagesThisMonth', k.month)), '[]')
          FROM (SELECT key.id, key.name, key.limits, p.today, p.month
                FROM api_keys key, LATERAL (
                  SELECT coalesce(sum(pages) FILTER (WHERE d.day = ${TODAY}), 0) AS today, coalesce(sum(pages), 0) AS month
                  FROM usage_daily d WHERE d.user_id = $1 AND d.owner_id = key.id AND d.day >= ${THIS_MONTH}) AS p
                WHERE key.user_id = $1 AND (p.month > 0 OR key.revoked_at IS NULL)
                ORDER BY key.created_at DESC, key.id LIMIT 1000) AS k) AS keys
  FROM (SELECT u.id AS user_id, u.id AS owner_id, coalesce(r.limits, '{}') || u.limits AS limits
        FROM users u LEFT JOIN role_limits r ON r.role = u.role WHERE u.id = $1) AS o
  `,
);

export interface UsageOfUser {
  userId: string;
  email: string;
  role: string;
  pagesToday: number;
  pagesThisMonth: number;
  storedBytes: number;
  running: number;
  waiting: number;
}

/** Users in the order of their ids, after one of them. */
export async function listUsage(
  sql: Sql,
  after: string | null,
  limit: number,
): Promise<{ users: UsageOfUser[]; next: string | null }> {
  const rows = await sql.query<UsageOfUser>(LIST_USAGE, [after ?? NONE, limit + 1]);
  const users = rows.slice(0, limit);
  return { users, next: rows.length > limit ? (users.at(-1)?.userId ?? null) : null };
}

const NONE = '00000000-0000-0000-0000-000000000000';

const LIST_USAGE = statement(
  'list_usage',
  `
  SELECT o.user_id AS "userId", o.email, o.role, ${PAGES_SINCE(TODAY)}::float8 AS "pagesToday",
         ${PAGES_SINCE(THIS_MONTH)}::float8 AS "pagesThisMonth", ${BYTES_OF('o.user_id')}::float8 AS "storedBytes",
         ${COUNTS_OF('o.user_id')}
  FROM (SELECT id AS user_id, id AS owner_id, email, role FROM users WHERE id > $1 ORDER BY id LIMIT $2) AS o
  ORDER BY o.user_id
  `,
);
