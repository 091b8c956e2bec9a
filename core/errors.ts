import type { SnoozeBudget } from './jobs/snooze-budget.ts';

/**
 * Errors are named for their consequence. Settling a job reads `consequence`, never the message:
 *   retryable  the job may succeed later; costs an attempt
 *   permanent  the job will never succeed and fails now
 *   snooze     nothing is wrong with the job; it waits `delayMs` and costs no attempt
 *   fatal      nothing is wrong with the job, but this process must release it and exit
 */
export type Consequence = 'retryable' | 'permanent' | 'snooze' | 'fatal';

/** An error for the user: a stable code and a readable sentence. */
export interface ErrorInfo {
  code: string;
  message: string;
}

abstract class WorkError extends Error {
  abstract readonly consequence: Consequence;

  /** @param code stable, snake_case; part of the public contract */
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

export class RetryableError extends WorkError {
  readonly consequence = 'retryable';
}

export class PermanentError extends WorkError {
  readonly consequence = 'permanent';
}

export class SnoozeError extends WorkError {
  readonly consequence = 'snooze';

  /**
   * @param delayMs delay before the next try
   * @param budget effect on the job's snooze budget
   */
  constructor(
    code: string,
    message: string,
    readonly delayMs: number,
    readonly budget: SnoozeBudget = 'consumed',
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

export class FatalError extends WorkError {
  readonly consequence = 'fatal';
}

export type KnownError = RetryableError | PermanentError | SnoozeError | FatalError;

/**
 * Wraps any thrown value. Unknown errors are retryable: a bug should not fail a user's job at once.
 */
export function classify(thrown: unknown): KnownError {
  if (thrown instanceof WorkError) return thrown as KnownError;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RetryableError(ErrorCode.internal, message, { cause: thrown });
}

/** Error codes that code compares or sets in several places. */
export const ErrorCode = {
  attemptTimeout: 'attempt_timeout',
  workerLost: 'worker_lost',
  allUrlsFailed: 'all_urls_failed',
  allSourcesFailed: 'all_sources_failed',
  hostBusy: 'host_busy',
  siteUnavailable: 'site_unavailable',
  siteAskedToWait: 'site_asked_to_wait',
  secretsUnreadable: 'secrets_unreadable',
  limitReached: 'limit_reached',
  internal: 'internal_error',
} as const;
