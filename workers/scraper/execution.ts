import { ErrorCode, FatalError } from '../../core/errors.ts';
import type { ClaimedJob, JobSpec } from '../../core/jobs/job.ts';
import { type Outcome, settle } from '../../core/jobs/job-state.ts';
import { isFinal } from '../../core/jobs/job-status.ts';
import type { RetryPolicy } from '../../core/jobs/retry.ts';
import type { Database } from '../../db/connect.ts';
import { deadLetterMessage } from '../../db/events/dead-letters.ts';
import { announceFinished } from '../../db/jobs/finished.ts';
import { type Settlement, settleJobs } from '../../db/jobs/settle.ts';
import { retryWhileUnavailable } from '../../db/retry-while-unavailable.ts';
import type { Delivery, HandlerOutcome } from '../../queue/queue.ts';
import { createBatcher } from '../../runtime/batch.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import type { ClaimJob, ClaimResult } from './claim.ts';
import type { Heartbeat, WatchedRun } from './heartbeat.ts';
import { AttemptAborted, outcomeFromError } from './outcome.ts';

/**
 * Does a job's work; resolves with its outcome, rejects with an error or the signal's reason.
 *
 * @param stopping fires when the process begins to stop: what would take longer than its grace
 *   period can hand the job back at a good moment, before `signal` fires at the end of it
 */
export type Scrape = (
  job: ClaimedJob,
  signal: AbortSignal,
  logger: Logger,
  stopping: AbortSignal,
) => Promise<Outcome>;

export interface ExecutorOptions {
  database: Database;
  logger: Logger;
  claim: ClaimJob;
  heartbeat: Heartbeat;
  /** The implementation for a job's kind. */
  resolve(spec: JobSpec): Scrape;
  /** Called with an error after which this process can run no job. */
  onFatal(error: FatalError): void;
  jobTimeoutMs: number;
  retry: RetryPolicy;
  /** Fires when the process begins to stop. */
  stopping: AbortSignal;
  /** Fires when the process can no longer wait for the database. */
  kill: AbortSignal;
}

/**
 * Runs a job in a worker, from its message to the acknowledgement: claim, scrape under a deadline,
 * settle. In between, the database records the holder, and another worker may take over once this
 * one is silent.
 */
export function createExecutor(options: ExecutorOptions): (delivery: Delivery) => Promise<HandlerOutcome> {
  const { database, logger, claim, heartbeat, resolve, jobTimeoutMs, retry } = options;
  const settleInBatch = createBatcher<Settlement, boolean>(
    (settlements) => settleJobs(database, settlements),
    { maxItems: 64, maxRuns: 1 },
  );
  const announceInBatch = createBatcher<string, void>(
    async (ids) => {
      await announceFinished(database, ids);
      return ids.map(() => undefined);
    },
    { maxItems: 64, maxRuns: 1 },
  );

  return async (delivery) => {
    const claimed = await claim(delivery);
    if (claimed.kind !== 'claimed') return answerUnclaimed(delivery, claimed);
    const attempt = beginAttempt(claimed.job);
    const end = claimed.job.unreadable
      ? secretsUnreadable(claimed.job.unreadable, attempt)
      : await scrapeUnderDeadline(resolve(claimed.job.spec), attempt);
    const outcome = end.kind === 'outcome' ? end.outcome : outcomeFromError(end.thrown, jobTimeoutMs);
    const hasEnded = await settleAttempt(attempt, outcome);
    // Not awaited: the request that waits would also find out by itself, by polling.
    if (hasEnded && delivery.envelope.data.awaited === true) {
      announceInBatch(claimed.job.id).catch((error) => attempt.logger.debug('end_not_announced', { error }));
    }
    // The message is only a wake-up: a released or retried job gets another one from the scheduler,
    // and the relay dead-letters a failed one. So every outcome acknowledges, once it is settled.
    return { kind: 'ack' };
  };

  function beginAttempt(job: ClaimedJob): Attempt {
    const attemptLogger = logger.with({
      job_id: job.id,
      attempt: job.attempt,
      correlation_id: job.correlationId,
    });
    attemptLogger.debug('job_claimed');
    return { job, logger: attemptLogger, startedAt: performance.now(), run: heartbeat.watch(job) };
  }

  function secretsUnreadable(cause: Error, { logger }: Attempt): AttemptEnd {
    logger.error('job_secrets_unreadable', { reason: cause.message });
    const message = 'its headers, cookies or passwords cannot be decrypted: post the job again';
    return {
      kind: 'outcome',
      outcome: { kind: 'fail', error: { code: ErrorCode.secretsUnreadable, message } },
    };
  }

  async function scrapeUnderDeadline(scrape: Scrape, attempt: Attempt): Promise<AttemptEnd> {
    const { job, run } = attempt;
    const deadline = setTimeout(() => run.abort(new AttemptAborted('timeout')), jobTimeoutMs);
    try {
      return { kind: 'outcome', outcome: await scrape(job, run.signal, attempt.logger, options.stopping) };
    } catch (error) {
      if (error instanceof FatalError) options.onFatal(error);
      return { kind: 'error', thrown: run.signal.aborted ? run.signal.reason : error };
    } finally {
      clearTimeout(deadline);
    }
  }

  /**
   * Renews the lease until the outcome is stored: a database outage must not cost the attempt.
   * Resolves with whether the job has ended by it.
   */
  async function settleAttempt(
    { job, run, startedAt, ...attempt }: Attempt,
    outcome: Outcome,
  ): Promise<boolean> {
    const transition = settle(job, outcome, retry, Math.random());
    const settled = await retryWhileUnavailable([options.kill], logger, () =>
      settleInBatch({ run: job, transition }),
    );
    run.end();
    // Dropped if the job was no longer this worker's: the fence kept it from being written.
    attempt.logger.info(settled ? 'job_settled' : 'job_outcome_dropped', {
      outcome: outcome.kind,
      duration_ms: Math.round(performance.now() - startedAt),
      ...('error' in outcome ? { error_code: outcome.error.code, reason: outcome.error.message } : {}),
    });
    return settled === true && isFinal(transition.status);
  }

  async function answerUnclaimed(
    { queue, envelope }: Delivery,
    claimed: Exclude<ClaimResult, { kind: 'claimed' }>,
  ): Promise<HandlerOutcome> {
    switch (claimed.kind) {
      case 'stopping':
        return { kind: 'requeue' };
      case 'not_claimed':
        logger.debug('job_not_claimed', { job_id: claimed.jobId, why: claimed.why });
        return { kind: 'ack' };
      case 'unknown_type':
        logger.warn('message_type_unknown', { type: envelope.type });
        return { kind: 'ack' };
      case 'unreadable': {
        const { reason } = claimed;
        const body = Buffer.from(JSON.stringify(envelope));
        await deadLetterMessage(database, { queue, reason, body }).catch((error) =>
          logger.error('unreadable_message_not_kept', { reason, error }),
        );
        return { kind: 'dead_letter', reason };
      }
      default:
        return claimed satisfies never;
    }
  }
}

interface Attempt {
  job: ClaimedJob;
  logger: Logger;
  startedAt: number;
  run: WatchedRun;
}

type AttemptEnd = { kind: 'outcome'; outcome: Outcome } | { kind: 'error'; thrown: unknown };
