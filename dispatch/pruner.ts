import type { Database } from '../db/connect.ts';
import { prune } from '../db/prune.ts';
import type { Logger } from '../runtime/logger.ts';

const BATCH = 1000;
const PAUSE_MS = 10 * 60_000;
/** Between two batches, so that a large clean-up does not crowd out the day's work. */
const BUSY_PAUSE_MS = 200;

/** Keeps the database from growing for ever. */
export function createPruner({
  database,
  retentionDays,
  logger,
}: {
  database: Database;
  retentionDays: number;
  logger: Logger;
}): () => Promise<number> {
  return async () => {
    const rows = await prune(database, { retentionDays, limit: BATCH });
    if (rows === 0) return PAUSE_MS;
    logger.info('rows_pruned', { rows });
    return BUSY_PAUSE_MS;
  };
}
