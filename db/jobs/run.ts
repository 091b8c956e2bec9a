import type { Counts, Fence, Progress } from '../../core/job.ts';
import type { Artifact, Page } from '../../core/page.ts';
import { type Database, RELAXED, type Sql, statement } from '../connect.ts';

/** What a worker writes while it runs a job. Every statement carries the fence: status, attempt and worker. */

/** Renews the leases of a worker's runs; returns the ids of those it still holds. The others were cancelled or taken over. */
export async function renewLeases(sql: Sql, runs: Fence[], leaseMs: number): Promise<Set<string>> {
  const rows = await sql.query<{ id: string }>(RENEW_LEASES, [
    runs.map(({ id }) => id),
    runs.map(({ attempt }) => attempt),
    runs.map(({ workerId }) => workerId),
    leaseMs,
  ]);
  return new Set(rows.map(({ id }) => id));
}

/** As in `settle_jobs`: a lease is what a running job has, and the primary key is the way to it. */
const RENEW_LEASES = statement(
  'renew_leases',
  `
  UPDATE jobs j SET lease_until = now() + $4::float8 * interval '1 ms'
  FROM unnest($1::uuid[], $2::int[], $3::text[]) AS r (id, attempt, worker_id), ${RELAXED}
  WHERE j.id = r.id AND j.attempt = r.attempt AND j.worker_id = r.worker_id AND j.lease_until IS NOT NULL
  RETURNING j.id
  `,
);

/** Tells the fleet's dispatcher that this worker is there. */
export async function reportWorker(
  sql: Sql,
  worker: { id: string; slots: number; claimsPerSecond: number },
): Promise<void> {
  await sql.query(REPORT_WORKER, [worker.id, worker.slots, worker.claimsPerSecond]);
}

const REPORT_WORKER = statement(
  'report_worker',
  `
  INSERT INTO workers (id, slots, claims_per_second) SELECT $1, $2, $3 FROM ${RELAXED}
  ON CONFLICT (id) DO UPDATE SET slots = $2, claims_per_second = $3, seen_at = now()
  `,
);

export async function removeWorker(sql: Sql, id: string): Promise<void> {
  await sql.query(REMOVE_WORKER, [id]);
}

const REMOVE_WORKER = statement('remove_worker', 'DELETE FROM workers WHERE id = $1');

/** Places whose page is stored without an error: an attempt after a crash goes on behind them. */
export async function listStoredPages(
  sql: Sql,
  jobId: string,
): Promise<{ position: number; failed: boolean }[]> {
  return sql.query(LIST_STORED_PAGES, [jobId]);
}

const LIST_STORED_PAGES = statement(
  'list_stored_pages',
  'SELECT position, failed FROM pages WHERE job_id = $1 ORDER BY position',
);

export interface StoredPage {
  position: number;
  page: Page;
  /** `body: null` where it lies in the artifact store. */
  artifacts: (Omit<Artifact, 'body'> & { name: string; body: Buffer | null })[];
  progress: Progress;
  counts: Counts;
}

/** Stores a page with its artifacts and the job's progress; false where the fence no longer holds, and then nothing is stored. */
export async function storePage(database: Database, run: Fence, stored: StoredPage): Promise<boolean> {
  return database.transaction(async (sql) => {
    const { position, page, progress, counts } = stored;
    const rows = await sql.query(STORE_PAGE, [
      run.id,
      run.attempt,
      run.workerId,
      position,
      page.error !== null,
      JSON.stringify(page),
      progress.done,
      progress.total,
      progress.message,
      counts.pages,
      counts.errors,
    ]);
    if (rows.length === 0) return false;
    await sql.query(DELETE_ARTIFACTS, [run.id, position]);
    for (const artifact of stored.artifacts) {
      await sql.query(STORE_ARTIFACT, [run.id, position, artifact.name, artifact.contentType, artifact.body]);
    }
    return true;
  });
}

const STORE_PAGE = statement(
  'store_page',
  `
  WITH mine AS (
    UPDATE jobs SET progress_done = $7, progress_total = $8, progress_message = $9, pages_count = $10, errors_count = $11
    WHERE id = $1 AND attempt = $2 AND worker_id = $3 AND status = 'running'
    RETURNING id
  )
  INSERT INTO pages (job_id, position, failed, content)
  SELECT id, $4, $5, $6::json FROM mine
  ON CONFLICT (job_id, position) DO UPDATE SET failed = $5, content = $6::json, stored_at = now()
  RETURNING position
  `,
);

const DELETE_ARTIFACTS = statement(
  'delete_artifacts',
  'DELETE FROM artifacts WHERE job_id = $1 AND position = $2',
);

const STORE_ARTIFACT = statement(
  'store_artifact',
  'INSERT INTO artifacts (job_id, position, name, content_type, body) VALUES ($1, $2, $3, $4, $5)',
);
