import { FatalError } from '../../core/errors.ts';
import type { ClaimedJob } from '../../core/jobs/job.ts';
import type { Outcome } from '../../core/jobs/job-state.ts';
import type { Delivery, HandlerOutcome, UnreadableMessage } from '../../queue/queue.ts';
import type { Logger } from '../../runtime/logger.ts';
import { RunAborted } from './attempt-aborted.ts';
import type { ClaimJob } from './claim.ts';
import type { RecordOutcome } from './completer.ts';
import type { Heartbeat, WatchedRun } from './heartbeat.ts';
import { classifyOutcome } from './outcome-from-error.ts';
import { readScrapeMessage } from './scrape-message.ts';

export interface JobSteps {
  claim: ClaimJob;
  heartbeat: Heartbeat;
  /** Does the work; resolves with how it ended, rejects with whatever went wrong or with the signal's reason. */
  scrape(job: ClaimedJob, signal: AbortSignal, logger: Logger): Promise<Outcome>;
  record: RecordOutcome;
  /** Keeps a message that names no job. */
  bury(message: UnreadableMessage): Promise<void>;
  /** Told of an error after which this process is of no use to any job. */
  onFatal(error: FatalError): void;
  logger: Logger;
  jobTimeoutMs: number;
}

/**
 * A job's life in a worker: claim, scrape under a heartbeat and a deadline, classify what came of it, record it, and only then
 * acknowledge. Whatever happens in between, the database knows who holds the job, and another worker may have it once this
 * one is silent.
 */
export async function runJob(delivery: Delivery, steps: JobSteps): Promise<HandlerOutcome> {
  const message = readScrapeMessage(delivery.envelope);
  if (message.kind === 'unknown_type') {
    steps.logger.warn('message_type_unknown', { type: delivery.envelope.type });
    return { kind: 'ack' };
  }
  if (message.kind === 'broken') return deadLetter(delivery, message.reason, steps);

  const claim = await steps.claim(message.request, delivery);
  if (claim.kind === 'stopping') return { kind: 'give_back' };
  if (claim.kind === 'unknown') return deadLetter(delivery, `there is no job ${message.request.id}`, steps);
  if (claim.kind !== 'claimed') {
    steps.logger.debug('job_not_claimed', { job_id: message.request.id, why: claim.kind });
    return { kind: 'ack' };
  }

  const { job } = claim;
  const logger = steps.logger.with({
    job_id: job.id,
    attempt: job.attempt,
    correlation_id: job.correlationId,
  });
  logger.debug('job_claimed');
  const startedAt = performance.now();
  const run = steps.heartbeat.watch(job);
  const outcome = await scrapeUnderDeadline(job, run, logger, steps);
  // The lease is renewed until the outcome stands: a database that is away must not cost the run.
  const recorded = await steps.record(job, outcome);
  run.end();
  logger.info(recorded ? 'job_settled' : 'job_outcome_dropped', {
    outcome: outcome.kind,
    duration_ms: Math.round(performance.now() - startedAt),
    ...('error' in outcome ? { error_code: outcome.error.code, reason: outcome.error.message } : {}),
  });
  // The message is only a doorbell: a released or retried job is rung again by the dispatcher, a failed one is put to the dead
  // letters by the relay. So every end acknowledges, and each only what is recorded.
  return { kind: 'ack' };
}

async function deadLetter(
  { queue, envelope }: Delivery,
  reason: string,
  { bury, logger }: JobSteps,
): Promise<HandlerOutcome> {
  await bury({ queue, reason, body: Buffer.from(JSON.stringify(envelope)) }).catch((error) =>
    logger.error('unreadable_message_not_kept', { reason, error }),
  );
  return { kind: 'dead_letter', reason };
}

async function scrapeUnderDeadline(
  job: ClaimedJob,
  run: WatchedRun,
  logger: Logger,
  { scrape, onFatal, jobTimeoutMs }: JobSteps,
): Promise<Outcome> {
  const deadline = setTimeout(() => run.abort(new RunAborted('late')), jobTimeoutMs);
  try {
    return await scrape(job, run.signal, logger);
  } catch (error) {
    if (error instanceof FatalError) onFatal(error);
    return classifyOutcome(run.signal.aborted ? run.signal.reason : error, jobTimeoutMs);
  } finally {
    clearTimeout(deadline);
  }
}
