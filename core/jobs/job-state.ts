import type { ErrorInfo } from '../errors.ts';
import type { EventType } from '../events/events.ts';
import { backoffMs, type RetryPolicy } from './retry.ts';

/**
 * | state     | in by                                        | out by                                   | removed by |
 * | scheduled | accept with a `run_at` ahead                 | due -> queued, cancel                    | -          |
 * | queued    | accept, due, release, crash, explicit retry  | claim -> running, cancel                 | -          |
 * | running   | claim                                        | settle, crash, cancel                    | -          |
 * | retrying  | a retryable error or a snooze                | due -> queued, cancel                    | -          |
 * | completed | settle                                       | never                                    | the pruner |
 * | failed    | settle, attempts spent by crashes            | only an explicit retry by the user       | the pruner |
 * | cancelled | cancel                                       | only an explicit retry by the user       | the pruner |
 */
export const JOB_STATUSES = [
  'scheduled',
  'queued',
  'running',
  'retrying',
  'completed',
  'failed',
  'cancelled',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

const FINAL: ReadonlySet<JobStatus> = new Set(['completed', 'failed', 'cancelled']);
export const isFinal = (status: JobStatus): boolean => FINAL.has(status);

/** How a run ended. The worker reports all but `crashed`, which is what others conclude of a worker that is gone. */
export type Outcome =
  | { kind: 'completed' }
  | { kind: 'retry'; error: ErrorInfo }
  | { kind: 'fail'; error: ErrorInfo }
  | { kind: 'snooze'; error: ErrorInfo; delayMs: number; patience: Patience }
  | { kind: 'cancelled' }
  | { kind: 'released' }
  | { kind: 'crashed'; error: ErrorInfo };
export const OUTCOME_KINDS = [
  'completed',
  'retry',
  'fail',
  'snooze',
  'cancelled',
  'released',
  'crashed',
] as const satisfies Outcome['kind'][];
export type OutcomeKind = Outcome['kind'];

/**
 * What a snooze does to a job's patience, which is finite so that a job whose site is gone for good comes to an end:
 *   spent     the site kept the job waiting and nothing came of the run
 *   restored  the site keeps it waiting, but the run got something done
 *   kept      the job stands in a line of our own making, which moves
 */
export type Patience = 'spent' | 'restored' | 'kept';

/** What the one settling statement writes. */
export interface Transition {
  status: JobStatus;
  outcome: OutcomeKind;
  /** Milliseconds from the database's now until the job is due; only for `retrying`. */
  delayMs: number;
  /** False gives the attempt back: the job was not at fault. */
  spendsAttempt: boolean;
  /** Snoozes so far that were spent on waiting for a site. */
  snoozes: number;
  /** False where the attempt is no part of the job's history: a slow site's line may send it away a thousand times. */
  remembered: boolean;
  error: ErrorInfo | null;
  event: EventType;
}

/** At a quarter of a minute and more each. */
const MAX_SNOOZES = 60;

/**
 * Decides what becomes of a running job. Pure: it returns delays and not moments, because the only clock that counts is the
 * database's, and workers' clocks differ.
 *
 * @param job the run that ended: `attempt` counts from 1 and includes this run
 * @param random in [0, 1), the jitter of the back-off
 */
export function settle(
  job: { attempt: number; maxAttempts: number; snoozes: number },
  outcome: Outcome,
  policy: RetryPolicy,
  random: number,
): Transition {
  const attemptsLeft = job.attempt < job.maxAttempts;
  const { snoozes } = job;
  const base = {
    outcome: outcome.kind,
    delayMs: 0,
    spendsAttempt: true,
    snoozes,
    remembered: true,
    error: null,
  } as const;
  switch (outcome.kind) {
    case 'completed':
      return { ...base, status: 'completed', event: 'job.completed' };
    case 'cancelled':
      return { ...base, status: 'cancelled', event: 'job.cancelled' };
    case 'released':
      return { ...base, status: 'queued', spendsAttempt: false, event: 'job.requeued' };
    case 'snooze':
      // Without an end, a job whose site is gone for good would wait for ever.
      if (outcome.patience === 'spent' && snoozes >= MAX_SNOOZES) {
        return { ...base, status: 'failed', error: outcome.error, event: 'job.failed' };
      }
      return {
        ...base,
        status: 'retrying',
        delayMs: outcome.delayMs,
        spendsAttempt: false,
        remembered: outcome.patience !== 'kept',
        snoozes: { spent: snoozes + 1, restored: 0, kept: snoozes }[outcome.patience],
        error: outcome.error,
        event: 'job.retrying',
      };
    case 'fail':
      return { ...base, status: 'failed', error: outcome.error, event: 'job.failed' };
    case 'retry':
      if (!attemptsLeft) return { ...base, status: 'failed', error: outcome.error, event: 'job.failed' };
      return {
        ...base,
        status: 'retrying',
        delayMs: backoffMs(job.attempt, policy, random),
        error: outcome.error,
        event: 'job.retrying',
      };
    case 'crashed':
      // No back-off: the worker was at fault more often than the job. A job that kills its workers runs out of attempts.
      if (!attemptsLeft) return { ...base, status: 'failed', error: outcome.error, event: 'job.failed' };
      return { ...base, status: 'queued', error: outcome.error, event: 'job.requeued' };
    default:
      return outcome satisfies never;
  }
}
