import type { Counts, Fence, Progress } from '../../core/jobs/job.ts';
import type { Page } from '../../core/jobs/page.ts';
import type { Database, Sql } from '../connect.ts';
import { PROGRESSED, progressEvents, setsProgress } from '../jobs/progress.ts';
import { artifactBytes, type StoredPage, storeArtifacts } from '../jobs/run.ts';
import { statement } from '../statement.ts';
import {
  ACCOUNT,
  type AccountRow,
  accounted,
  CHARGED,
  COUNTS_BYTES,
  chargePages,
  type Stored,
  storeAccounted,
  WITHIN_LIMITS,
} from '../usage/accounting.ts';

/** A stored address of a crawl, see scraping/crawl/frontier.ts. */
export interface CrawlUrl {
  position: number;
  url: string;
  depth: number;
  patternDepth: number;
  tries: number;
  title: string | null;
  state: string;
  /** Hexadecimal. */
  contentHash: string | null;
}

export type FoundUrl = Pick<CrawlUrl, 'position' | 'url' | 'depth' | 'patternDepth' | 'title'>;
export type VisitedUrl = Pick<CrawlUrl, 'position' | 'state' | 'tries' | 'title' | 'contentHash'>;

/**
 * What a crawl needs to resume, in the order of discovery and in parts: it may know half a million
 * addresses.
 */
export async function listCrawlUrls(
  sql: Sql,
  jobId: string,
  after: number,
  limit: number,
): Promise<Omit<CrawlUrl, 'title'>[]> {
  return sql.query(LIST_CRAWL_URLS, [jobId, after, limit]);
}

const LIST_CRAWL_URLS = statement(
  'list_crawl_urls',
  `
  SELECT position, url, depth, pattern_depth AS "patternDepth", tries, state, encode(content_hash, 'hex') AS "contentHash"
  FROM crawl_urls WHERE job_id = $1 AND position > $2 ORDER BY position LIMIT $3
  `,
);

/** The result of one visit. */
export interface CrawlStep {
  visited: VisitedUrl[];
  found: FoundUrl[];
  /** Null if there is no page to store. */
  page: { position: number; page: Page; artifacts: StoredPage['artifacts'] } | null;
  progress: Progress;
  counts: Counts;
  /** A map stores no pages; those that it loads count all the same. */
  isMap?: boolean;
}

/**
 * Stores a page, the new state of its address and the addresses it led to, all or nothing. After a
 * crash before it one page is visited again, after a crash behind it none.
 */
export async function storeCrawlStep(database: Database, run: Fence, step: CrawlStep): Promise<Stored> {
  const artifacts = step.page?.artifacts ?? [];
  if (artifacts.length === 0) return storeStep(database, run, step);
  return database.transaction(async (sql) => {
    const stored = await storeStep(sql, run, step);
    if (step.page && stored.kind === 'stored') {
      await storeArtifacts(sql, run.id, step.page.position, artifacts);
    }
    return stored;
  });
}

async function storeStep(sql: Sql, run: Fence, step: CrawlStep): Promise<Stored> {
  const { page, progress, counts } = step;
  const visited = step.visited.map(({ contentHash, ...url }) => ({ ...url, hash: contentHash }));
  const found = step.found.map(({ patternDepth, ...url }) => ({ ...url, pattern_depth: patternDepth }));
  const values = [
    run.id,
    run.attempt,
    run.workerId,
    JSON.stringify(visited),
    JSON.stringify(found),
    page?.position ?? null,
    page ? page.page.error !== null : null,
    page ? JSON.stringify(page.page) : null,
    progress.done,
    progress.total,
    progress.message,
    counts.pages,
    counts.errors,
    page ? artifactBytes(page) : null,
    step.isMap === true,
  ];
  return storeAccounted(sql, run.id, () => sql.query<AccountRow>(STORE_CRAWL_STEP, values));
}

const STORE_CRAWL_STEP = statement(
  'store_crawl_step',
  `
  WITH ${accounted(`
    SELECT 1 AS nth, $6::int AS position, octet_length($8::text) + $14::bigint AS bytes WHERE $6::int IS NOT NULL`)},
  mine AS (
    UPDATE jobs j SET ${setsProgress('$9', '$10', '$11')}, pages_count = $12, errors_count = $13, ${COUNTS_BYTES}
    FROM held, added
    WHERE j.id = $1 AND j.attempt = $2 AND j.worker_id = $3 AND j.status = 'running' AND ${WITHIN_LIMITS}
    RETURNING ${PROGRESSED}
  ), progress_event AS (${progressEvents('mine')}), ${CHARGED}, mapped AS (
    SELECT mine.id, mine.user_id, held.key_id
    FROM mine, held, json_to_recordset($4::json) AS v (position int, state text), crawl_urls c
    WHERE $15::boolean AND v.state = 'done' AND c.job_id = $1 AND c.position = v.position AND c.state = 'waiting'
    FOR UPDATE OF c
  ), mapped_charged AS (${chargePages('mapped')}
  ), visited AS (
    UPDATE crawl_urls c SET state = v.state, tries = v.tries, title = coalesce(v.title, c.title), content_hash = decode(v.hash, 'hex')
    FROM mine, json_to_recordset($4::json) AS v (position int, state text, tries int, title text, hash text)
    WHERE c.job_id = mine.id AND c.position = v.position
      AND (SELECT count(*) FROM mapped) >= 0 -- which reads the states of before
  ), found AS (
    INSERT INTO crawl_urls (job_id, position, url, depth, pattern_depth, title, link_text)
    SELECT mine.id, f.position, f.url, f.depth, f.pattern_depth, f.title, f.title
    FROM mine, json_to_recordset($5::json) AS f (position int, url text, depth int, pattern_depth int, title text)
    ON CONFLICT DO NOTHING
  ), outdated AS (
    DELETE FROM artifacts USING mine WHERE job_id = mine.id AND position = $6::int
  ), stored AS (
    INSERT INTO pages (job_id, position, failed, content, bytes)
    SELECT mine.id, $6::int, $7::boolean, $8::text::json, octet_length($8::text) + $14::bigint
    FROM mine WHERE $6::int IS NOT NULL
    ON CONFLICT (job_id, position) DO UPDATE
    SET failed = excluded.failed, content = excluded.content, bytes = excluded.bytes, stored_at = now()
  )
  ${ACCOUNT}
  `,
);

/** An address of a site. */
export interface SiteUrl {
  position: number;
  url: string;
  /** Of its page; of the first link to it if the page was not loaded. */
  title: string | null;
  linkText: string | null;
}

/**
 * The addresses of a site that a job found, in the order of discovery. Addresses that redirect
 * elsewhere, and duplicates, are omitted.
 */
export async function listSiteUrls(
  sql: Sql,
  jobId: string,
  after: number,
  limit: number,
): Promise<SiteUrl[]> {
  return sql.query(LIST_SITE_URLS, [jobId, after, limit]);
}

const LIST_SITE_URLS = statement(
  'list_site_urls',
  `
  SELECT position, url, title, link_text AS "linkText" FROM crawl_urls
  WHERE job_id = $1 AND position > $2 AND state NOT IN ('duplicate', 'outside')
  ORDER BY position LIMIT $3
  `,
);

/** Whether a job found addresses that it has not visited. */
export async function hasUnvisitedUrls(sql: Sql, jobId: string): Promise<boolean> {
  return (await sql.query(HAS_UNVISITED_URLS, [jobId])).length > 0;
}

const HAS_UNVISITED_URLS = statement(
  'has_unvisited_urls',
  `SELECT position FROM crawl_urls WHERE job_id = $1 AND state = 'waiting' LIMIT 1`,
);
