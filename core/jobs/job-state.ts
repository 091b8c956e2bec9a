import type { ErrorInfo } from '../errors.ts';
import type { EventType } from '../events/event-schemas.ts';
import type { JobStatus, OutcomeKind } from './job-status.ts';
import { backoffMs, type RetryPolicy } from './retry.ts';
import { type SnoozeBudget, snoozesAfter } from './snooze-budget.ts';

/**
 * How a run ended. The worker reports all but `crashed`, which the rescuer sets for a lost worker.
 */
export type Outcome =
  | { kind: 'completed' }
  | { kind: 'retry'; error: ErrorInfo }
  | { kind: 'fail'; error: ErrorInfo }
  | { kind: 'snooze'; error: ErrorInfo; delayMs: number; budget: SnoozeBudget }
  | { kind: 'cancelled' }
  | { kind: 'released' }
  | { kind: 'crashed'; error: ErrorInfo };

/** What the settling statement writes. */
export interface Transition {
  status: JobStatus;
  outcome: OutcomeKind;
  /** Milliseconds from the database's now until the job is due; only for `retrying`. */
  delayMs: number;
  /** False returns the attempt: the job was not at fault. */
  spendsAttempt: boolean;
  /** Snoozes so far that count against the budget. */
  snoozes: number;
  /**
   * False keeps the attempt out of the job's history: a host queue may snooze a job a thousand
   * times.
   */
  recordAttempt: boolean;
  error: ErrorInfo | null;
  event: EventType;
}

/**
 * Decides the next state of a running job. Pure. It returns delays and not timestamps, because
 * workers' clocks differ and only the database's clock counts.
 *
 * @param job the run that ended: `attempt` counts from 1 and includes this run
 * @param random in [0, 1), jitter of the back-off
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
    recordAttempt: true,
    error: null,
  } as const;
  switch (outcome.kind) {
    case 'completed':
      return { ...base, status: 'completed', event: 'job.completed' };
    case 'cancelled':
      return { ...base, status: 'cancelled', event: 'job.cancelled' };
    case 'released':
      return { ...base, status: 'queued', spendsAttempt: false, event: 'job.requeued' };
    case 'snooze': {
      const snoozesNow = snoozesAfter(snoozes, outcome.budget);
      if (snoozesNow === null)
        return { ...base, status: 'failed', error: outcome.error, event: 'job.failed' };
      return {
        ...base,
        status: 'retrying',
        delayMs: outcome.delayMs,
        spendsAttempt: false,
        recordAttempt: outcome.budget !== 'unchanged',
        snoozes: snoozesNow,
        error: outcome.error,
        event: 'job.retrying',
      };
    }
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
      // No back-off: mostly the worker was at fault. A job that kills its workers runs out of
      // attempts.
      if (!attemptsLeft) return { ...base, status: 'failed', error: outcome.error, event: 'job.failed' };
      return { ...base, status: 'queued', error: outcome.error, event: 'job.requeued' };
    default:
      return outcome satisfies never;
  }
}
