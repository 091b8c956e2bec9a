import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { ANSWER_BYTES, type PageText } from './pages.ts';

/** A place in the order in which a job's pages were stored. */
export interface StoredPlace {
  /** Microseconds since 1970, as decimal text. */
  storedAt: string;
  position: number;
}

/**
 * Pages of a job that were stored after a place, in that order; a page that was stored again comes
 * again. `last` is the place of the last one, or `after` if there is none.
 *
 * @param ended the job had ended before this call
 */
export async function listPagesAsStored(
  sql: Sql,
  jobId: string,
  after: StoredPlace,
  limit: number,
  ended: boolean,
): Promise<{ pages: PageText[]; last: StoredPlace; more: boolean }> {
  const rows = await sql.query<PageText & { storedAt: string; more: boolean }>(LIST_PAGES_AS_STORED, [
    ...[jobId, after.storedAt, after.position, ended, limit, ANSWER_BYTES],
  ]);
  const last = rows.at(-1);
  return {
    pages: rows.map(({ position, json }) => ({ position, json })),
    last: last ? { storedAt: last.storedAt, position: last.position } : after,
    more: last?.more ?? false,
  };
}

/**
 * While the job runs, the newest half second is left out: `stored_at` is when a transaction began,
 * so one may still commit before a place that a reader has passed. That takes milliseconds.
 */
const LIST_PAGES_AS_STORED = statement(
  'list_pages_as_stored',
  `
  WITH behind AS (
    SELECT position, stored_at, octet_length(content::text) AS bytes FROM pages
    WHERE job_id = $1
      AND (stored_at, position) > ('epoch'::timestamptz + $2::bigint * interval '1 microsecond', $3::int)
      AND ($4::boolean OR stored_at < now() - interval '500 milliseconds')
    ORDER BY stored_at, position LIMIT $5::int + 1
  ), sized AS (
    SELECT position, stored_at, bytes,
           sum(bytes) OVER (ORDER BY stored_at, position) AS running,
           lead(position) OVER (ORDER BY stored_at, position) IS NOT NULL AS more
    FROM behind
  ), chosen AS (
    SELECT position, stored_at, more FROM sized WHERE running - bytes < $6
    ORDER BY stored_at, position LIMIT $5
  )
  SELECT c.position, (extract(epoch FROM c.stored_at) * 1000000)::bigint::text AS "storedAt", c.more,
         p.content::text AS json
  FROM chosen c JOIN pages p ON p.job_id = $1 AND p.position = c.position
  ORDER BY c.stored_at, c.position
  `,
);
