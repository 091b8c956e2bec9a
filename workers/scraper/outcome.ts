import { classify, ErrorCode, type ErrorInfo } from '../../core/errors.ts';
import type { Outcome } from '../../core/jobs/job-state.ts';
import { pageErrorConsequence } from '../../core/jobs/page-errors.ts';

const MESSAGES = {
  timeout: 'the attempt took longer than it may',
  lease_lost: 'the job was cancelled or taken over',
  shutdown: 'the worker is shutting down',
};

/** Why an attempt was aborted from outside; the reason of its AbortSignal. */
export class AttemptAborted extends Error {
  override name = 'AttemptAborted';

  constructor(readonly why: keyof typeof MESSAGES) {
    super(MESSAGES[why]);
  }
}

/** The job's outcome for a thrown value. */
export function outcomeFromError(thrown: unknown, jobTimeoutMs: number): Outcome {
  if (thrown instanceof AttemptAborted) return outcomeOfAbort(thrown, jobTimeoutMs);
  const error = classify(thrown);
  const info = { code: error.code, message: error.message };
  switch (error.consequence) {
    case 'retryable':
      return { kind: 'retry', error: info };
    case 'permanent':
      return { kind: 'fail', error: info };
    case 'snooze':
      return { kind: 'snooze', error: info, delayMs: error.delayMs, budget: error.budget };
    case 'fatal':
      return { kind: 'released' };
    default:
      return error satisfies never;
  }
}

function outcomeOfAbort({ why }: AttemptAborted, jobTimeoutMs: number): Outcome {
  switch (why) {
    case 'shutdown':
      return { kind: 'released' };
    case 'lease_lost':
      // Another worker has the job, or none; the fence drops this outcome whatever it is.
      return { kind: 'cancelled' };
    case 'timeout': {
      const message = `the attempt took longer than ${jobTimeoutMs} ms`;
      return { kind: 'retry', error: { code: ErrorCode.attemptTimeout, message } };
    }
    default:
      return why satisfies never;
  }
}

/** A page or site that failed, and whether a retry could help. */
export interface FailedPage {
  error: ErrorInfo;
  retryable: boolean;
}

export const failedPage = (error: ErrorInfo): FailedPage => ({
  error,
  retryable: pageErrorConsequence(error.code) === 'retryable',
});

/**
 * The job's outcome for its pages. One good page completes it; failed pages carry their own errors.
 * A job without a good page is retried if any of its errors is retryable.
 */
export function outcomeFromPages(pages: number, failed: FailedPage[]): Outcome {
  if (failed.length < pages) return { kind: 'completed' };
  const [only] = failed;
  const codes = [...new Set(failed.map(({ error }) => error.code))];
  const message = `none of ${failed.length} URLs could be loaded: ${codes.join(', ')}`;
  const error =
    only && failed.length === 1 ? only.error : { code: commonCode(failed, ErrorCode.allUrlsFailed), message };
  return outcomeFromFailures(failed, error);
}

/** @param error of the job */
export const outcomeFromFailures = (failed: readonly FailedPage[], error: ErrorInfo): Outcome => ({
  kind: failed.some(({ retryable }) => retryable) ? 'retry' : 'fail',
  error,
});

/** The code of the failures if they all have the same, else `otherwise`. */
export function commonCode(failed: readonly FailedPage[], otherwise: string): string {
  const codes = new Set(failed.map(({ error }) => error.code));
  const [code] = codes;
  return codes.size === 1 && code !== undefined ? code : otherwise;
}
