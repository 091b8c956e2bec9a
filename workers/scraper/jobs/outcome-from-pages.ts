import { ErrorCode, type ErrorInfo } from '../../../core/errors.ts';
import type { Outcome } from '../../../core/jobs/job-state.ts';

/** A page that failed, and whether trying it again could help. */
export interface FailedPage {
  error: ErrorInfo;
  retryable: boolean;
}

/**
 * What the pages make of their job. One good page completes it; the failed ones say so themselves. A job without one is tried
 * again if any of its pages is worth it.
 */
export function verdict(pages: number, failed: FailedPage[]): Outcome {
  if (failed.length < pages) return { kind: 'completed' };
  const error = errorOf(failed);
  return failed.some(({ retryable }) => retryable) ? { kind: 'retry', error } : { kind: 'fail', error };
}

function errorOf(failed: FailedPage[]): ErrorInfo {
  const codes = new Set(failed.map(({ error }) => error.code));
  const [only] = failed;
  if (only && failed.length === 1) return only.error;
  return {
    code: codes.size === 1 ? [...codes].join() : ErrorCode.allUrlsFailed,
    message: `none of ${failed.length} URLs could be loaded: ${[...codes].join(', ')}`,
  };
}
