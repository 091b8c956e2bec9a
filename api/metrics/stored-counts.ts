import type { JobStatus } from '../../core/jobs/job-status.ts';
import type { Sql } from '../../db/connect.ts';
import { countUnfinished } from '../../db/jobs/read.ts';
import { countOpenDeliveries } from '../../db/notifications/deliveries/read.ts';
import { readBlockedRequests } from '../../db/sites/blocked-requests.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { withTimeout } from '../../runtime/timeout.ts';

export interface StoredCounts {
  jobs: ReadonlyMap<JobStatus, number>;
  deliveries: ReadonlyMap<string, number>;
  /** Blocked outbound connections by reason, of all processes since the installation. */
  blocked: ReadonlyMap<string, number>;
}

/** Counting reads one index entry per unfinished job, and several scrapers may poll. */
const COUNT_MS = 5000;
/** Prometheus times out after ten seconds and then has no metrics at all. */
const WITHIN_MS = 2000;

/**
 * Returns a function that reads the counts at most once per `COUNT_MS`. It resolves with null if
 * the read failed.
 */
export function createStoredCounts(sql: Sql, logger: Logger): () => Promise<StoredCounts | null> {
  let countedAt = Number.NEGATIVE_INFINITY;
  let counts: Promise<StoredCounts | null> = Promise.resolve(null);

  const read = async (): Promise<StoredCounts | null> => {
    try {
      const [jobs, deliveries, blocked] = await withTimeout(
        Promise.all([countUnfinished(sql), countOpenDeliveries(sql), readBlockedRequests(sql)]),
        WITHIN_MS,
        () => new Error('not counted in time'),
      );
      return { jobs, deliveries: new Map(deliveries.map(({ channel, count }) => [channel, count])), blocked };
    } catch (error) {
      // The other metrics are needed most while the database is away.
      logger.warn('jobs_not_counted', { error });
      return null;
    }
  };

  return () => {
    if (performance.now() - countedAt >= COUNT_MS) {
      countedAt = performance.now();
      counts = read();
    }
    return counts;
  };
}
