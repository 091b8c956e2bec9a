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
 *
 * @param fields only these, and `position` for their place in the job; a field that a page does not
 * have is absent. Undefined: pages as they are stored.
 */
export async function listPages(
  sql: Sql,
  jobId: string,
  after: number,
  limit: number,
  fields?: readonly string[],
): Promise<{ pages: PageText[]; next: number | null }> {
  const bounds = [jobId, after, limit, ANSWER_BYTES];
  const rows = fields
    ? await sql.query<PageText & { more: boolean }>(LIST_PAGE_FIELDS, [...bounds, fields])
    : await sql.query<PageText & { more: boolean }>(LIST_PAGES, bounds);
  const last = rows.at(-1);
  return {
    pages: rows.map(({ position, json }) => ({ position, json })),
    next: last?.more ? last.position : null,
  };
}

const CHOSEN_PAGES = `
  WITH sized AS (
    SELECT position, octet_length(content::text) AS bytes,
           sum(octet_length(content::text)) OVER (ORDER BY position) AS running,
           lead(position) OVER (ORDER BY position) IS NOT NULL AS more
    FROM (SELECT position, content FROM pages WHERE job_id = $1 AND position > $2 ORDER BY position LIMIT $3 + 1) AS p
  ), chosen AS (
    SELECT position, more FROM sized WHERE running - bytes < $4 ORDER BY position LIMIT $3
  )`;

const LIST_PAGES = statement(
  'list_pages',
  `${CHOSEN_PAGES}
  SELECT c.position, c.more, p.content::text AS json
  FROM chosen c JOIN pages p ON p.job_id = $1 AND p.position = c.position
  ORDER BY c.position
  `,
);

/** Taken apart here and not in the API, which would parse megabytes of markdown for a list of titles. */
const LIST_PAGE_FIELDS = statement(
  'list_page_fields',
  `${CHOSEN_PAGES}
  SELECT c.position, c.more,
         (SELECT coalesce(json_object_agg(f.key, f.value), '{}')::text
          FROM (SELECT 'position' AS key, to_json(c.position) AS value
                UNION ALL SELECT key, value FROM json_each(p.content)) AS f
          WHERE f.key = ANY($5)) AS json
  FROM chosen c JOIN pages p ON p.job_id = $1 AND p.position = c.position
  ORDER BY c.position
  `,
);
