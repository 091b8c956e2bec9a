import { setTimeout as delay } from 'node:timers/promises';
import type { RetryPolicy } from '../../core/jobs/retry.ts';
import type { Database } from '../../db/connect.ts';
import { type Claim, type ClaimRequest, claimJobs, findHolder, type Holder } from '../../db/jobs/claim.ts';
import { settleCrashedRun } from '../../db/jobs/settle.ts';
import { untilDatabaseAnswers } from '../../db/retry-while-unavailable.ts';
import type { Delivery } from '../../queue/queue.ts';
import { createBatcher } from '../../runtime/batch.ts';
import type { Logger } from '../../runtime/logger.ts';
import { BEAT_MS, type Heartbeat } from './heartbeat.ts';

export type ClaimJob = (
  request: ClaimRequest,
  delivery: Pick<Delivery, 'redelivered' | 'signal'>,
) => Promise<Claim | { kind: 'stopping' } | { kind: 'unknown' }>;

/**
 * A holder not heard of for this long is taken to be gone once its message is delivered again. Three beats: a broker that
 * restarts delivers everything again although all holders are well, and they must be left alone.
 */
const SILENT_MS = 3 * BEAT_MS;
const LOOK_AGAIN_MS = 150;

/** Claims the job a message tells of; a redelivered message may take the job over from a holder that fell silent. */
export function createClaimer(options: {
  database: Database;
  heartbeat: Heartbeat;
  worker: { id: string; leaseMs: number };
  retry: RetryPolicy;
  logger: Logger;
  /** Fires when the worker takes no more work. */
  stopping: AbortSignal;
}): ClaimJob {
  const { database, worker, logger, stopping } = options;
  const claimInBatch = createBatcher<ClaimRequest, Claim>(
    (requests) => claimJobs(database, worker, requests),
    { maxItems: 64, maxRuns: 1 },
  );

  return async (request, delivery) => {
    // While the database is away the delivery is kept and not given back: it would only come again at once, and again.
    const claim = await untilDatabaseAnswers([stopping, delivery.signal], logger, async () => {
      const first = await claimInBatch(request);
      if (first.kind !== 'refused') return first;
      const holder = await findHolder(database, request.id, worker.leaseMs);
      if (!holder) return { kind: 'unknown' } as const;
      return delivery.redelivered ? takeOver(request, holder) : first;
    });
    return claim ?? { kind: 'stopping' };
  };

  async function takeOver(request: ClaimRequest, first: Holder): Promise<Claim> {
    const refused = { kind: 'refused' } as const;
    let silenceBefore = 0;
    let holder: Holder | null = first;
    while (!stopping.aborted) {
      if (holder?.status !== 'running' || holder.attempt !== request.attempt + 1) return refused;
      const run = { id: request.id, ...holder };
      if (options.heartbeat.holds(run) && holder.workerId === worker.id) return refused;
      // A silence that became shorter is a beat: the holder is well, only its channel was lost.
      if (holder.silentMs < silenceBefore) return refused;
      silenceBefore = holder.silentMs;
      if (holder.silentMs >= SILENT_MS) {
        const settled = await settleCrashedRun(database, run, options.retry);
        if (!settled) return refused;
        logger.warn('job_taken_over', { job_id: request.id, attempt: holder.attempt, from: holder.workerId });
        return claimInBatch({ id: request.id, attempt: holder.attempt });
      }
      await delay(LOOK_AGAIN_MS);
      holder = await findHolder(database, request.id, worker.leaseMs);
    }
    return refused;
  }
}
