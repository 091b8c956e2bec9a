import type { Sql } from '../connect.ts';
import type { EventCursor } from '../events/events.ts';
import { insertEvents } from '../insert-events.ts';
import { type KeysetCursor, keyset, keysetValues, pageOf } from '../keyset.ts';
import { statement } from '../statement.ts';

/** A short link as its owner sees it. */
export interface Link {
  id: string;
  code: string;
  url: string;
  share: boolean;
  job_id: string | null;
  lead_id: string | null;
  created_at: Date;
  updated_at: Date;
  expires_at: Date | null;
}

const COLUMNS = 'id, code, url, share, job_id, lead_id, created_at, updated_at, expires_at';

/** The event of a link, from its row. */
const linkEvent = (type: string, from: string, correlationId: string) =>
  insertEvents({
    ...{ from, type: `'${type}'`, correlationId },
    data: "json_build_object('link_id', id, 'code', code, 'url', url)",
  });

export interface NewLink {
  code: string;
  userId: string;
  url: string;
  share: boolean;
  jobId: string | null;
  leadId: string | null;
  /** ISO 8601. */
  expiresAt: string | null;
  correlationId: string;
}

/** Null if the code is taken, or was until recently. */
export async function createLink(sql: Sql, link: NewLink): Promise<Link | null> {
  const { code, userId, url, share, jobId, leadId, expiresAt, correlationId } = link;
  const [row] = await sql.query<Link>(CREATE_LINK, [
    ...[code, userId, url, share, jobId, leadId, expiresAt, correlationId],
  ]);
  return row ?? null;
}

const CREATE_LINK = statement(
  'create_link',
  `
  WITH created AS (
    INSERT INTO links (code, user_id, url, share, job_id, lead_id, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (code) DO NOTHING
    RETURNING user_id, ${COLUMNS}
  ), event AS (${linkEvent('link.created', 'created', '$8')})
  SELECT ${COLUMNS} FROM created
  `,
);

/** A user's link; null if there is none of that code, or if it belongs to another user. */
export async function findLink(sql: Sql, userId: string, code: string): Promise<Link | null> {
  const [row] = await sql.query<Link>(FIND_LINK, [userId, code]);
  return row ?? null;
}

const FIND_LINK = statement(
  'find_link',
  `SELECT ${COLUMNS} FROM links WHERE code = $2 AND user_id = $1 AND deleted_at IS NULL`,
);

/** A user's links, newest first; only those of one job if it is given. */
export async function listLinks(
  sql: Sql,
  query: { userId: string; jobId: string | null; limit: number; after: KeysetCursor | null },
): Promise<{ links: Link[]; next: KeysetCursor | null }> {
  const { userId, jobId, limit, after } = query;
  const values = [userId, limit + 1, ...keysetValues(after)];
  const rows = await (jobId === null
    ? sql.query<Link & { cursor: string }>(LIST_LINKS, values)
    : sql.query<Link & { cursor: string }>(LIST_JOB_LINKS, [...values, jobId]));
  const { items, next } = pageOf(rows, limit, ({ cursor: _, ...link }): Link => link);
  return { links: items, next };
}

const NEWEST = keyset('created_at', 'id');
const listWhere = (condition: string) => `
  SELECT ${COLUMNS}, ${NEWEST.column} FROM links
  WHERE user_id = $1 AND deleted_at IS NULL AND ${NEWEST.behind('$3', '$4')} ${condition}
  ORDER BY ${NEWEST.order} LIMIT $2
`;
const LIST_LINKS = statement('list_links', listWhere(''));
/**
 * A separate statement: with a condition on the job, the plan reads all links of a user to find the
 * few of a job.
 */
const LIST_JOB_LINKS = statement('list_job_links', listWhere('AND job_id = $5'));

/**
 * Changes the given fields; null if the user has no such link. A shared result keeps its target.
 */
export async function changeLink(
  sql: Sql,
  change: {
    userId: string;
    code: string;
    url: string | undefined;
    expiresAt: string | null | undefined;
    correlationId: string;
  },
): Promise<Link | null> {
  const { userId, code, url, expiresAt, correlationId } = change;
  const [row] = await sql.query<Link>(CHANGE_LINK, [
    ...[userId, code, url ?? null, expiresAt !== undefined, expiresAt ?? null, correlationId],
  ]);
  return row ?? null;
}

const CHANGE_LINK = statement(
  'change_link',
  `
  WITH changed AS (
    UPDATE links SET url = coalesce($3, url), updated_at = now(),
                     expires_at = CASE WHEN $4::boolean THEN $5::timestamptz ELSE expires_at END
    WHERE code = $2 AND user_id = $1 AND deleted_at IS NULL
    RETURNING user_id, ${COLUMNS}
  ), event AS (${linkEvent('link.changed', 'changed', '$6')})
  SELECT ${COLUMNS} FROM changed
  `,
);

/** False if the user has no such link. */
export async function deleteLink(
  sql: Sql,
  link: { userId: string; code: string; correlationId: string },
): Promise<boolean> {
  const rows = await sql.query(DELETE_LINK, [link.userId, link.code, link.correlationId]);
  return rows.length > 0;
}

const DELETE_LINK = statement(
  'delete_link',
  `
  WITH deleted AS (
    UPDATE links SET deleted_at = now() WHERE code = $2 AND user_id = $1 AND deleted_at IS NULL
    RETURNING user_id, ${COLUMNS}
  ), event AS (${linkEvent('link.deleted', 'deleted', '$3')})
  SELECT id FROM deleted
  `,
);

/**
 * The codes by which the results of these jobs are shared, by job; the newest if several are valid.
 */
export async function findShares(sql: Sql, jobIds: string[]): Promise<Map<string, string>> {
  if (jobIds.length === 0) return new Map();
  const rows = await sql.query<{ job_id: string; code: string }>(FIND_SHARES, [jobIds]);
  return new Map(rows.map(({ job_id, code }) => [job_id, code]));
}

const FIND_SHARES = statement(
  'find_shares',
  `
  SELECT DISTINCT ON (job_id) job_id, code FROM links
  WHERE job_id = ANY ($1::uuid[]) AND share AND deleted_at IS NULL AND (expires_at IS NULL OR expires_at > now())
  ORDER BY job_id, created_at DESC
  `,
);

/** The target of a code. */
export interface LinkTarget {
  id: string;
  user_id: string;
  url: string;
  share: boolean;
  job_id: string | null;
  /**
   * Milliseconds until it expires, by the database's clock; negative if it has, null if it never
   * will.
   */
  expires_in_ms: number | null;
}

export async function findTarget(sql: Sql, code: string): Promise<LinkTarget | null> {
  const [row] = await sql.query<LinkTarget>(FIND_TARGET, [code]);
  return row ?? null;
}

const FIND_TARGET = statement(
  'find_link_target',
  `
  SELECT id, user_id, url, share, job_id, (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS expires_in_ms
  FROM links WHERE code = $1 AND deleted_at IS NULL
  `,
);

/**
 * Codes whose link was made (`created`), changed or deleted after a place of the ledger, and the
 * place before which nothing can be inserted any more. Later changes are returned again by the next
 * call: a long backup transaction holds that place back for hours, and the cache must not be stale
 * for that long.
 */
export async function followLinks(
  sql: Sql,
  after: EventCursor,
): Promise<{ changes: { code: string; created: boolean }[]; settled: EventCursor }> {
  const rows = await sql.query<EventCursor & { code: string; created: boolean; settled: boolean }>(
    FOLLOW_LINKS,
    [after.xid, after.seq],
  );
  const last = rows.findLast(({ settled }) => settled);
  return {
    changes: rows.map(({ code, created }) => ({ code, created })),
    settled: last ? { xid: last.xid, seq: last.seq } : after,
  };
}

const FOLLOW_LINKS = statement(
  'follow_links',
  `
  SELECT xid::text AS xid, seq::text AS seq, data->>'code' AS code, type = 'link.created' AS created,
         xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled
  FROM events
  WHERE type IN ('link.created', 'link.changed', 'link.deleted') AND (xid, seq) > ($1::xid8, $2::bigint)
  ORDER BY xid, seq LIMIT 10000
  `,
);
