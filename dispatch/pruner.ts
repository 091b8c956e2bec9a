import type { ArtifactStore } from '../core/jobs/artifacts.ts';
import type { Database } from '../db/connect.ts';
import { forgetArtifactFolder, listAbandonedFolders } from '../db/pages/artifacts.ts';
import { prune } from '../db/prune.ts';
import type { Logger } from '../runtime/log/logger.ts';

const BATCH = 1000;
const FOLDERS = 100;
const PAUSE_MS = 10 * 60_000;
/** Between two batches, so that a large clean-up does not crowd out the day's work. */
const BUSY_PAUSE_MS = 200;

/** Keeps the database, and the store of artifacts, from growing for ever. */
export function createPruner({
  database,
  artifacts,
  retentionDays,
  logger,
}: {
  database: Database;
  /** Undefined: artifacts lie in the database, and go with their jobs. */
  artifacts?: ArtifactStore | undefined;
  retentionDays: number;
  logger: Logger;
}): () => Promise<number> {
  return async () => {
    const rows = await prune(database, { retentionDays, limit: BATCH });
    const folders = artifacts ? await emptyFolders(database, artifacts) : 0;
    if (rows + folders === 0) return PAUSE_MS;
    logger.info('rows_pruned', { rows, artifact_folders: folders });
    return BUSY_PAUSE_MS;
  };
}

/** Artifacts of jobs that are gone. A folder is forgotten only when it is empty: a store that is away is asked again. */
async function emptyFolders(database: Database, artifacts: ArtifactStore): Promise<number> {
  const abandoned = await listAbandonedFolders(database, FOLDERS);
  for (const jobId of abandoned) {
    await artifacts.deleteJob(jobId);
    await forgetArtifactFolder(database, jobId);
  }
  return abandoned.length;
}
