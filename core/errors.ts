import type { SnoozeBudget } from './jobs/snooze-budget.ts';

/**
 * Errors are named by what happens next. The settling of a job reads `consequence`, never the message:
 *   retryable  the same attempt may succeed later and costs an attempt
 *   permanent  it will never succeed, the job fails now
 *   snooze     nothing is wrong with the job, it waits `delayMs` and no attempt is spent
 *   fatal      nothing is wrong with the job, but this process cannot go on: hand the job back and exit
 */
export type Consequence = 'retryable' | 'permanent' | 'snooze' | 'fatal';

/** What a user sees of an error: a stable code to program against and a sentence to read. */
export interface ErrorInfo {
  code: string;
  message: string;
}

abstract class WorkError extends Error {
  abstract readonly consequence: Consequence;

  /** @param code stable, snake_case; part of the public contract once released */
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
   * @param delayMs how long the job waits before it is tried again
   * @param budget what the wait costs the job
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

/** Any thrown value as one of ours. What is unforeseen is retryable: a bug should not cost a user's job at once. */
export function classify(thrown: unknown): KnownError {
  if (thrown instanceof WorkError) return thrown as KnownError;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RetryableError(ErrorCode.internal, message, { cause: thrown });
}

/** Codes the program itself decides on, so that they are spelled once. */
export const ErrorCode = {
  attemptTimeout: 'attempt_timeout',
  workerLost: 'worker_lost',
  allUrlsFailed: 'all_urls_failed',
  allSourcesFailed: 'all_sources_failed',
  hostBusy: 'host_busy',
  siteUnavailable: 'site_unavailable',
  siteAskedToWait: 'site_asked_to_wait',
  internal: 'internal_error',
} as const;
