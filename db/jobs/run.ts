import type { ErrorInfo } from '../../core/errors.ts';
import type { Counts, Fence, Progress } from '../../core/jobs/job.ts';
import type { Artifact, Page } from '../../core/jobs/page.ts';
import { textArray } from '../../runtime/postgres/text-array.ts';
import { ASYNC_COMMIT, type Database, type Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import {
  ACCOUNT,
  type AccountRow,
  accounted,
  CHARGED,
  COUNTS_BYTES,
  type Stored,
  storeAccounted,
  WITHIN_LIMITS,
} from '../usage/accounting.ts';
import { PROGRESSED, progressEvents, setsProgress } from './progress.ts';

/** Writes of a worker that runs a job. Each statement has the fence: status, attempt and worker. */

/**
 * Renews the leases of a worker's runs; returns the ids of those it still holds. The others were
 * cancelled or taken over.
 */
export async function renewLeases(sql: Sql, runs: Fence[], leaseMs: number): Promise<Set<string>> {
  const rows = await sql.query<{ id: string }>(RENEW_LEASES, [
    runs.map(({ id }) => id),
    runs.map(({ attempt }) => attempt),
    runs.map(({ workerId }) => workerId),
    leaseMs,
  ]);
  return new Set(rows.map(({ id }) => id));
}

/** As in `settle_jobs`: a lease implies a running job, and the primary key leads to it. */
const RENEW_LEASES = statement(
  'renew_leases',
  `
  UPDATE jobs j SET lease_until = now() + $4::float8 * interval '1 ms'
  FROM unnest($1::uuid[], $2::int[], $3::text[]) AS r (id, attempt, worker_id), ${ASYNC_COMMIT}
  WHERE j.id = r.id AND j.attempt = r.attempt AND j.worker_id = r.worker_id AND j.lease_until IS NOT NULL
  RETURNING j.id
  `,
);

/** Registers this worker with the dispatcher. */
export async function reportWorker(
  sql: Sql,
  worker: { id: string; slots: number; claimsPerSecond: number; sandbox?: string | null },
): Promise<void> {
  await sql.query(REPORT_WORKER, [worker.id, worker.slots, worker.claimsPerSecond, worker.sandbox ?? null]);
}

const REPORT_WORKER = statement(
  'report_worker',
  `
  INSERT INTO workers (id, slots, claims_per_second, sandbox) SELECT $1, $2, $3, $4 FROM ${ASYNC_COMMIT}
  ON CONFLICT (id) DO UPDATE SET slots = $2, claims_per_second = $3, sandbox = $4, seen_at = now()
  `,
);

export async function removeWorker(sql: Sql, id: string): Promise<void> {
  await sql.query(REMOVE_WORKER, [id]);
}

const REMOVE_WORKER = statement('remove_worker', 'DELETE FROM workers WHERE id = $1');

/** The stored pages of a job: the next attempt continues after them. */
export interface KnownPage {
  position: number;
  failed: boolean;
  /**
   * True for a page that failed in the current attempt: a job revisits one after waiting for a
   * site.
   */
  error: ErrorInfo | null;
}

export async function listStoredPages(sql: Sql, jobId: string): Promise<KnownPage[]> {
  return sql.query(LIST_STORED_PAGES, [jobId]);
}

const LIST_STORED_PAGES = statement(
  'list_stored_pages',
  `
  SELECT position, failed, CASE WHEN failed AND stored_at > coalesce(ended, '-infinity') THEN content->'error' END AS error
  FROM pages, (SELECT max(finished_at) AS ended FROM attempts WHERE job_id = $1 AND outcome <> 'snooze') AS before
  WHERE job_id = $1 ORDER BY position
  `,
);

export interface StoredPage {
  position: number;
  page: Page;
  /** `body: null` if it is in the artifact store; `bytes` is its size wherever it is. */
  artifacts: (Omit<Artifact, 'body'> & { name: string; body: Buffer | null; bytes: number })[];
  progress: Progress;
  counts: Counts;
}

/**
 * Stores pages with their artifacts and the job's progress, which is that of the last page, all or
 * nothing. Without artifacts it is one statement without a transaction around it: pages that need
 * no browser arrive at hundreds per second.
 *
 * @param pages of different positions
 */
export async function storePages(
  database: Database,
  run: Fence,
  pages: readonly StoredPage[],
): Promise<Stored> {
  const withArtifacts = pages.filter(({ artifacts }) => artifacts.length > 0);
  if (withArtifacts.length === 0) return storeRows(database, run, pages);
  return database.transaction(async (sql) => {
    const stored = await storeRows(sql, run, pages);
    if (stored.kind !== 'stored') return stored;
    for (const { position, artifacts } of withArtifacts)
      await storeArtifacts(sql, run.id, position, artifacts);
    return stored;
  });
}

/** Artifacts of a page stored in the same transaction, which removed its earlier ones. */
export async function storeArtifacts(
  sql: Sql,
  jobId: string,
  position: number,
  artifacts: StoredPage['artifacts'],
): Promise<void> {
  for (const artifact of artifacts) {
    await sql.query(STORE_ARTIFACT, [jobId, position, artifact.name, artifact.contentType, artifact.body]);
  }
}

async function storeRows(sql: Sql, run: Fence, pages: readonly StoredPage[]): Promise<Stored> {
  const last = pages.at(-1);
  if (!last) return { kind: 'stored' };
  const { progress, counts } = last;
  const values = [
    ...[run.id, run.attempt, run.workerId],
    ...[progress.done, progress.total, progress.message, counts.pages, counts.errors],
    pages.map(({ position }) => position),
    pages.map(({ page }) => page.error !== null),
    // Binary: escaping the quotes of a large page takes the driver longer than all other work.
    textArray(pages.map(({ page }) => JSON.stringify(page))),
    pages.map(artifactBytes),
  ];
  return storeAccounted(sql, run.id, () => sql.query<AccountRow>(STORE_PAGES, values));
}

/** Those in the artifact store count too. */
export const artifactBytes = ({ artifacts }: Pick<StoredPage, 'artifacts'>): number =>
  artifacts.reduce((sum, { bytes }) => sum + bytes, 0);

/**
 * The removed artifacts are those of an earlier attempt at the same page; no new ones exist yet.
 */
const STORE_PAGES = statement(
  'store_pages',
  `
  WITH ${accounted(`
    SELECT nth, position, octet_length(content) + artifact_bytes AS bytes
    FROM unnest($9::int[], $11::text[], $12::bigint[]) WITH ORDINALITY AS p (position, content, artifact_bytes, nth)`)},
  mine AS (
    UPDATE jobs j SET ${setsProgress('$4', '$5', '$6')}, pages_count = $7, errors_count = $8, ${COUNTS_BYTES}
    FROM held, added
    WHERE j.id = $1 AND j.attempt = $2 AND j.worker_id = $3 AND j.status = 'running' AND ${WITHIN_LIMITS}
    RETURNING ${PROGRESSED}
  ), progress_event AS (${progressEvents('mine')}), ${CHARGED}, outdated AS (
    DELETE FROM artifacts USING mine WHERE job_id = mine.id AND position = ANY ($9::int[])
  ), stored AS (
    INSERT INTO pages (job_id, position, failed, content, bytes)
    SELECT mine.id, p.position, p.failed, p.content::json, octet_length(p.content) + p.artifact_bytes
    FROM mine, unnest($9::int[], $10::boolean[], $11::text[], $12::bigint[]) AS p (position, failed, content, artifact_bytes)
    ON CONFLICT (job_id, position) DO UPDATE
    SET failed = excluded.failed, content = excluded.content, bytes = excluded.bytes, stored_at = now()
  )
  ${ACCOUNT}
  `,
);

const STORE_ARTIFACT = statement(
  'store_artifact',
  'INSERT INTO artifacts (job_id, position, name, content_type, body) VALUES ($1, $2, $3, $4, $5)',
);
