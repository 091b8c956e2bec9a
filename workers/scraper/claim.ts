import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { RetryPolicy } from '../../core/jobs/retry.ts';
import type { Database } from '../../db/connect.ts';
import {
  type Claim,
  type ClaimRequest,
  claimJobs,
  findHolder,
  type Holder,
  wasDeleted,
} from '../../db/jobs/claim.ts';
import { settleCrashedRun } from '../../db/jobs/settle.ts';
import { retryWhileUnavailable } from '../../db/retry-while-unavailable.ts';
import { SCRAPE_MESSAGE } from '../../dispatch/message.ts';
import type { Envelope } from '../../queue/envelope.ts';
import type { Delivery } from '../../queue/queue.ts';
import { createBatcher } from '../../runtime/batch.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { BEAT_MS, type Heartbeat } from './heartbeat.ts';

/** Claims the job that a message names. */
export type ClaimJob = (delivery: Delivery) => Promise<ClaimResult>;

export type ClaimResult =
  | Extract<Claim, { kind: 'claimed' }>
  /**
   * A duplicate, a cancelled job, one that another worker holds, one that yielded to a more urgent
   * job of its user, or one whose user has as many jobs running as may.
   */
  | { kind: 'not_claimed'; jobId: string; why: Exclude<Claim['kind'], 'claimed'> }
  /** The worker takes no more work. */
  | { kind: 'stopping' }
  /** Of a newer program, or not for a worker. */
  | { kind: 'unknown_type' }
  /** The message names no job. */
  | { kind: 'unreadable'; reason: string };

/**
 * A holder silent for this long is presumed dead once its message is redelivered. Three heartbeats:
 * a broker that restarts redelivers everything although all holders are alive, and they must keep
 * their jobs.
 */
const SILENT_MS = 3 * BEAT_MS;
const POLL_MS = 150;

/** A redelivered message may take its job over from a holder that went silent. */
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

  return async (delivery) => {
    const message = readScrapeMessage(delivery.envelope);
    if (message.kind !== 'scrape') return message;
    const { request } = message;
    // While the database is unavailable the message is held: requeued, it would be redelivered at
    // once.
    const claim = await retryWhileUnavailable([stopping, delivery.signal], logger, async () => {
      const first = await claimInBatch(request);
      if (first.kind !== 'refused') return first;
      const holder = await findHolder(database, request.id, worker.leaseMs);
      if (!holder && (await wasDeleted(database, request.id))) return first;
      if (!holder) return { kind: 'unreadable', reason: `there is no job ${request.id}` } as const;
      return delivery.redelivered ? takeOver(request, holder) : first;
    });
    if (!claim) return { kind: 'stopping' };
    if (claim.kind === 'claimed' || claim.kind === 'unreadable') return claim;
    return { kind: 'not_claimed', jobId: request.id, why: claim.kind };
  };

  async function takeOver(request: ClaimRequest, first: Holder): Promise<Claim> {
    const refused = { kind: 'refused' } as const;
    let silenceBefore = 0;
    let holder: Holder | null = first;
    while (!stopping.aborted) {
      if (holder?.status !== 'running' || holder.attempt !== request.attempt + 1) return refused;
      const run = { id: request.id, ...holder };
      if (options.heartbeat.holds(run) && holder.workerId === worker.id) return refused;
      // A shorter silence means a heartbeat: the holder is alive, only its channel was lost.
      if (holder.silentMs < silenceBefore) return refused;
      silenceBefore = holder.silentMs;
      if (holder.silentMs >= SILENT_MS) {
        const settled = await settleCrashedRun(database, run, options.retry);
        if (!settled) return refused;
        logger.warn('job_taken_over', { job_id: request.id, attempt: holder.attempt, from: holder.workerId });
        return claimInBatch({ id: request.id, attempt: holder.attempt });
      }
      await delay(POLL_MS);
      holder = await findHolder(database, request.id, worker.leaseMs);
    }
    return refused;
  }
}

/** The fields a worker needs; the others are for operators and other programs. */
const messageData = z.object({ job_id: z.uuid(), attempt: z.int().min(0).max(1_000_000) });

function readScrapeMessage(
  envelope: Envelope,
):
  | { kind: 'scrape'; request: ClaimRequest }
  | { kind: 'unknown_type' }
  | { kind: 'unreadable'; reason: string } {
  if (envelope.type !== SCRAPE_MESSAGE) return { kind: 'unknown_type' };
  if (!envelope.version.startsWith('1.')) {
    const reason = `version ${envelope.version} of ${SCRAPE_MESSAGE} is not known here`;
    return { kind: 'unreadable', reason };
  }
  const parsed = messageData.safeParse(envelope.data);
  if (parsed.success) {
    return { kind: 'scrape', request: { id: parsed.data.job_id, attempt: parsed.data.attempt } };
  }
  const issue = parsed.error.issues[0];
  return { kind: 'unreadable', reason: `data.${issue?.path.join('.')}: ${issue?.message}` };
}
