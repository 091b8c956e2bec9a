import type { LimitName, LimitReached } from '../../core/accounts/limits.ts';
import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { NEXT_MONTH, THIS_MONTH, TODAY, TOMORROW } from './days.ts';

/**
 * Counts what a run stores, in the statement that stores it: retried or repeated, a page counts
 * once, and no page is stored beyond a limit.
 *
 *     WITH ${accounted('SELECT nth, position, bytes FROM …')}, mine AS (
 *       UPDATE jobs j SET ${COUNTS_BYTES}, … FROM held, added WHERE … AND ${WITHIN_LIMITS}
 *       RETURNING j.id, j.user_id, …
 *     ), ${CHARGED} … ${ACCOUNT}
 *
 * The parameters 1 to 3 are the fence: job, attempt and worker.
 *
 * Who has a limit is counted in one row, shard 0, which is locked first: of concurrent runs each
 * sees what the others have used. All others are counted in 32 rows, so that the workers of one
 * user do not wait for each other's commits.
 *
 * What of the pages is new is read from the statement's snapshot, which is older than the lock on
 * the job. `stored_bytes` changes with everything that is stored, so if it is still that of the
 * snapshot, so are the pages; if not, nothing is stored and the statement is repeated.
 *
 * @param pages `nth` from 1, `position` and `bytes` of each page
 */
export const accounted = (pages: string): string => `
  held AS MATERIALIZED (
    SELECT j.id, j.user_id, j.key_id, j.stored_bytes, coalesce(r.limits, '{}') || u.limits AS limits,
           coalesce(k.limits, '{}') AS key_limits
    FROM jobs j JOIN users u ON u.id = j.user_id
    LEFT JOIN role_limits r ON r.role = u.role LEFT JOIN api_keys k ON k.id = j.key_id
    WHERE j.id = $1 AND j.attempt = $2 AND j.worker_id = $3 AND j.status = 'running'
  ), given AS MATERIALIZED (
    SELECT p.nth, (old.job_id IS NULL)::int AS pages, p.bytes - coalesce(old.bytes, 0) AS bytes
    FROM held CROSS JOIN (${pages}) AS p LEFT JOIN pages old ON old.job_id = held.id AND old.position = p.position
  ), added AS MATERIALIZED (
    SELECT coalesce(sum(pages), 0)::bigint AS pages, coalesce(sum(bytes), 0)::bigint AS bytes FROM given
  ), owners AS MATERIALIZED (${OWNERS_OF('held')}
  ), locked AS MATERIALIZED (
    SELECT o.user_id, o.owner_id, o.scope, o.per_day, o.per_month, d.pages
    FROM owners o JOIN usage_daily d
      ON d.user_id = o.user_id AND d.owner_id = o.owner_id AND d.day = ${TODAY} AND d.shard = 0
    WHERE o.is_limited ORDER BY o.scope DESC FOR UPDATE OF d
  ), locked_storage AS MATERIALIZED (
    SELECT s.user_id, s.bytes, (h.limits->>'stored_bytes')::bigint AS value
    FROM held h JOIN storage_usage s ON s.user_id = h.user_id AND s.shard = 0
    WHERE h.limits->>'stored_bytes' IS NOT NULL FOR UPDATE OF s
  ), quotas AS MATERIALIZED (
    SELECT scope, 'pages_per_day' AS name, per_day AS value, ${TOMORROW} AS free_at, a.pages AS amount, l.pages + (
             SELECT coalesce(sum(d.pages), 0) FROM usage_daily d
             WHERE d.user_id = l.user_id AND d.owner_id = l.owner_id AND d.day = ${TODAY} AND d.shard > 0) AS used
    FROM locked l, added a WHERE per_day IS NOT NULL
    UNION ALL
    SELECT scope, 'pages_per_month', per_month, ${NEXT_MONTH}, a.pages, l.pages + (
             SELECT coalesce(sum(d.pages), 0) FROM usage_daily d
             WHERE d.user_id = l.user_id AND d.owner_id = l.owner_id AND d.day >= ${THIS_MONTH}
               AND (d.day < ${TODAY} OR d.shard > 0))
    FROM locked l, added a WHERE per_month IS NOT NULL
    UNION ALL
    SELECT 'user', 'stored_bytes', value, NULL, a.bytes, s.bytes + (
             SELECT coalesce(sum(o.bytes), 0) FROM storage_usage o WHERE o.user_id = s.user_id AND o.shard <> 0)
    FROM locked_storage s, added a
  ), exceeded AS MATERIALIZED (
    SELECT scope, name, value, used, free_at FROM quotas WHERE amount > 0 AND used + amount > value
    ORDER BY free_at DESC NULLS FIRST LIMIT 1
  ), prepared AS MATERIALIZED (
    SELECT (SELECT count(*) FROM owners WHERE is_limited) + (SELECT count(limits->>'stored_bytes') FROM held)
         = (SELECT count(*) FROM locked) + (SELECT count(*) FROM locked_storage) AS ok
  )`;

/** The user and the key of a run, with their limits of pages. */
const OWNERS_OF = (run: string): string => `
    SELECT h.user_id, o.owner_id, o.scope, (o.limits->>'pages_per_day')::bigint AS per_day,
           (o.limits->>'pages_per_month')::bigint AS per_month,
           coalesce(o.limits->>'pages_per_day', o.limits->>'pages_per_month') IS NOT NULL AS is_limited
    FROM ${run} h, LATERAL (VALUES (h.user_id, 'user', h.limits), (h.key_id, 'key', h.key_limits)) AS o (owner_id, scope, limits)
    WHERE o.owner_id IS NOT NULL`;

export const COUNTS_BYTES = 'stored_bytes = j.stored_bytes + added.bytes';

/** The condition of `mine`. */
export const WITHIN_LIMITS = `
  j.id = held.id AND j.stored_bytes = held.stored_bytes AND (SELECT ok FROM prepared) AND NOT EXISTS (SELECT FROM exceeded)`;

const shardOf = (id: string, isLimited: string): string =>
  `CASE WHEN ${isLimited} THEN 0 ELSE 1 + (uuid_hash(${id}) & 31) END`;

const ADD_PAGES = `
    ON CONFLICT (user_id, owner_id, day, shard) DO UPDATE SET pages = u.pages + excluded.pages`;

/** The second waits for the first, so that all statements lock counters in one order. */
export const CHARGED = `
  pages_charged AS (
    INSERT INTO usage_daily AS u (user_id, owner_id, day, shard, pages)
    SELECT o.user_id, o.owner_id, ${TODAY}, ${shardOf('mine.id', 'o.is_limited')}, added.pages
    FROM mine, added, owners o WHERE added.pages > 0
    ${ADD_PAGES}
    RETURNING pages
  ), bytes_charged AS (
    INSERT INTO storage_usage AS s (user_id, shard, bytes)
    SELECT mine.user_id, ${shardOf('mine.id', "held.limits->>'stored_bytes' IS NOT NULL")}, added.bytes
    FROM mine, added, held WHERE added.bytes <> 0 AND (SELECT count(*) FROM pages_charged) >= 0
    ON CONFLICT (user_id, shard) DO UPDATE SET bytes = s.bytes + excluded.bytes
  )`;

/** What became of it; the query of the statement. */
export const ACCOUNT = `
  SELECT EXISTS (SELECT FROM mine) AS "isStored", EXISTS (SELECT FROM held) AS "isHeld", p.ok AS "isPrepared",
         x.name AS limit, x.scope, x.used::float8, x.value::float8 AS "limitValue", x.free_at AS "freeAt",
         extract(epoch FROM x.free_at - now())::float8 * 1000 AS "waitMs",
         CASE WHEN x.name IS NOT NULL THEN (
           SELECT count(*) FROM (SELECT sum(pages) OVER w AS pages, sum(bytes) OVER w AS bytes FROM given WINDOW w AS (ORDER BY nth)) AS first
           WHERE NOT EXISTS (
             SELECT FROM quotas q, LATERAL (SELECT CASE WHEN q.name = 'stored_bytes' THEN first.bytes ELSE first.pages END AS amount) AS of_first
             WHERE of_first.amount > 0 AND q.used + of_first.amount > q.value))::int ELSE 0 END AS fits
  FROM prepared p LEFT JOIN exceeded x ON true`;

export interface AccountRow extends Record<keyof LimitReached, unknown> {
  isStored: boolean;
  isHeld: boolean;
  isPrepared: boolean;
  limit: LimitName | null;
  scope: LimitReached['scope'];
  used: number;
  limitValue: number;
  freeAt: Date | null;
  waitMs: number | null;
  fits: number;
}

export type Stored =
  | { kind: 'stored' }
  /** The fence no longer holds; nothing was stored. */
  | { kind: 'lost' }
  /** Nothing was stored; the first `fits` pages alone would be within the limit. */
  | { kind: 'full'; fits: number; exhausted: Exhausted };

export interface Exhausted extends LimitReached {
  /** Until `freeAt`, by the database's clock; null as that. */
  waitMs: number | null;
}

/** Each repetition means that another statement of the same run was faster. */
const MAX_REPETITIONS = 10;

/** Runs an accounted statement of a run until its answer is final. */
export async function storeAccounted(
  sql: Sql,
  jobId: string,
  store: () => Promise<AccountRow[]>,
): Promise<Stored> {
  for (let repetition = 0; repetition < MAX_REPETITIONS; repetition += 1) {
    const [row] = await store();
    if (!row?.isHeld) return { kind: 'lost' };
    if (row.isStored) return { kind: 'stored' };
    if (!row.isPrepared) await sql.query(PREPARE_COUNTERS, [jobId]);
    else if (row.limit !== null) {
      const { limit, scope, used, limitValue, freeAt, waitMs, fits } = row;
      return { kind: 'full', fits, exhausted: { limit, scope, used, limitValue, freeAt, waitMs } };
    }
  }
  throw new Error('a page could not be counted: others of its job are stored all the time');
}

/** The rows that limited owners lock: once per day, and once for the bytes. */
const PREPARE_COUNTERS = statement(
  'prepare_counters',
  `
  WITH job AS (SELECT user_id, key_id FROM jobs WHERE id = $1), days AS (
    INSERT INTO usage_daily (user_id, owner_id, day, shard, pages)
    SELECT job.user_id, o.id, ${TODAY}, 0, 0 FROM job, LATERAL (VALUES (job.user_id), (job.key_id)) AS o (id)
    WHERE o.id IS NOT NULL
    ON CONFLICT DO NOTHING
  )
  INSERT INTO storage_usage (user_id, shard, bytes) SELECT user_id, 0, 0 FROM job
  ON CONFLICT DO NOTHING
  `,
);

/**
 * Counts pages of a run that are not stored as such, such as the sites of a lead search: one per
 * row of `rows`, which were found new by the statement itself. A CTE.
 *
 * @param rows with `id`, `user_id` and `key_id` of the job
 */
export const chargePages = (rows: string): string => `
    INSERT INTO usage_daily AS u (user_id, owner_id, day, shard, pages)
    SELECT o.user_id, o.owner_id, ${TODAY}, ${shardOf('o.id', 'o.is_limited')}, count(*)
    FROM (SELECT r.id, l.user_id, l.owner_id, l.is_limited FROM ${rows} r, LATERAL (
      SELECT h.user_id, o.owner_id,
             coalesce(o.limits->>'pages_per_day', o.limits->>'pages_per_month') IS NOT NULL AS is_limited
      FROM (SELECT r.user_id, r.key_id) AS h JOIN users us ON us.id = h.user_id
      LEFT JOIN role_limits ro ON ro.role = us.role LEFT JOIN api_keys k ON k.id = h.key_id,
      LATERAL (VALUES (h.user_id, coalesce(ro.limits, '{}') || us.limits), (h.key_id, k.limits)) AS o (owner_id, limits)
      WHERE o.owner_id IS NOT NULL) AS l) AS o
    GROUP BY o.user_id, o.owner_id, o.id, o.is_limited ORDER BY o.user_id, o.owner_id = o.user_id DESC, o.owner_id
    ${ADD_PAGES}`;
