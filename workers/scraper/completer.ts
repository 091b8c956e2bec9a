import type { ClaimedJob } from '../../core/jobs/job.ts';
import { type Outcome, settle } from '../../core/jobs/job-state.ts';
import type { RetryPolicy } from '../../core/jobs/retry.ts';
import type { Database } from '../../db/connect.ts';
import { type Settlement, settleJobs } from '../../db/jobs/settle.ts';
import { untilDatabaseAnswers } from '../../db/retry-while-unavailable.ts';
import { createBatcher } from '../../runtime/batch.ts';
import type { Logger } from '../../runtime/logger.ts';

/** Writes how a run ended; false where the job was no longer this worker's, and then nothing was written. */
export type RecordOutcome = (job: ClaimedJob, outcome: Outcome) => Promise<boolean>;

export function createRecorder(options: {
  database: Database;
  retry: RetryPolicy;
  logger: Logger;
  /** Fires when the process cannot wait for the database any longer. */
  givingUp: AbortSignal;
}): RecordOutcome {
  const { database, logger } = options;
  const settleInBatch = createBatcher<Settlement, boolean>(
    (settlements) => settleJobs(database, settlements),
    { maxItems: 64, maxRuns: 1 },
  );

  return async (job, outcome) => {
    const transition = settle(job, outcome, options.retry, Math.random());
    const recorded = await untilDatabaseAnswers([options.givingUp], logger, () =>
      settleInBatch({ run: job, transition }),
    );
    return recorded ?? false;
  };
}
