import type { ArtifactStore } from '../core/jobs/artifacts.ts';
import type { Database } from '../db/connect.ts';
import { forgetArtifactFolder, listAbandonedFolders } from '../db/pages/artifacts.ts';
import { prune } from '../db/prune.ts';
import type { Logger } from '../runtime/log/logger.ts';

const BATCH = 1000;
const FOLDERS = 100;
const PAUSE_MS = 10 * 60_000;
/** Between two batches, so that a large clean-up leaves the database time for jobs. */
const BUSY_PAUSE_MS = 200;

/** Deletes expired rows, and the stored artifacts of deleted jobs. */
export function createPruner({
  database,
  artifacts,
  retentionDays,
  auditRetentionDays,
  logger,
}: {
  database: Database;
  /** Undefined: artifacts are in the database, and are deleted with their jobs. */
  artifacts?: ArtifactStore | undefined;
  retentionDays: number;
  auditRetentionDays: number;
  logger: Logger;
}): () => Promise<number> {
  return async () => {
    const rows = await prune(database, { retentionDays, auditRetentionDays, limit: BATCH });
    const folders = artifacts ? await emptyFolders(database, artifacts) : 0;
    if (rows + folders === 0) return PAUSE_MS;
    logger.info('rows_pruned', { rows, artifact_folders: folders });
    return BUSY_PAUSE_MS;
  };
}

/**
 * Deletes artifacts of deleted jobs. A folder's row goes once it is empty: an unavailable store is
 * retried.
 */
async function emptyFolders(database: Database, artifacts: ArtifactStore): Promise<number> {
  const abandoned = await listAbandonedFolders(database, FOLDERS);
  for (const jobId of abandoned) {
    await artifacts.deleteJob(jobId);
    await forgetArtifactFolder(database, jobId);
  }
  return abandoned.length;
}
