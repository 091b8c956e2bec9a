import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/** Approximate size limit of one answer, whatever its row limit: a page may be megabytes. */
export const ANSWER_BYTES = 16 * 1024 * 1024;

/** A page as it is stored: JSON text of core's `Page`, passed on without being parsed. */
export interface PageText {
  position: number;
  json: string;
}

/**
 * Pages of a job after a position, in the order of the request; fewer than `limit` if they are
 * large, at least one.
 */
export async function listPages(
  sql: Sql,
  jobId: string,
  after: number,
  limit: number,
): Promise<{ pages: PageText[]; next: number | null }> {
  const rows = await sql.query<PageText & { more: boolean }>(LIST_PAGES, [jobId, after, limit, ANSWER_BYTES]);
  const last = rows.at(-1);
  return {
    pages: rows.map(({ position, json }) => ({ position, json })),
    next: last?.more ? last.position : null,
  };
}

const LIST_PAGES = statement(
  'list_pages',
  `
  WITH sized AS (
    SELECT position, octet_length(content::text) AS bytes,
           sum(octet_length(content::text)) OVER (ORDER BY position) AS running,
           lead(position) OVER (ORDER BY position) IS NOT NULL AS more
    FROM (SELECT position, content FROM pages WHERE job_id = $1 AND position > $2 ORDER BY position LIMIT $3 + 1) AS p
  ), chosen AS (
    SELECT position, more FROM sized WHERE running - bytes < $4 ORDER BY position LIMIT $3
  )
  SELECT c.position, c.more, p.content::text AS json
  FROM chosen c JOIN pages p ON p.job_id = $1 AND p.position = c.position
  ORDER BY c.position
  `,
);
