import type { RetryPolicy } from '../core/jobs/retry.ts';
import type { Database } from '../db/connect.ts';
import { settleExpiredRuns } from '../db/jobs/settle.ts';
import type { Logger } from '../runtime/log/logger.ts';

const BATCH = 100;
const PAUSE_MS = 1000;

/**
 * Settles the attempts of workers that died. On RabbitMQ the redelivered message arrives long
 * before the lease expires; this is for a worker that hangs, a broker outage, and a machine that
 * took both down.
 */
export function createRescuer({
  database,
  retry,
  logger,
}: {
  database: Database;
  retry: RetryPolicy;
  logger: Logger;
}): () => Promise<number> {
  return async () => {
    const runs = await settleExpiredRuns(database, retry, BATCH);
    for (const { id, attempt, workerId } of runs) {
      logger.warn('job_rescued', { job_id: id, attempt, worker: workerId });
    }
    return runs.length === BATCH ? 0 : PAUSE_MS;
  };
}
