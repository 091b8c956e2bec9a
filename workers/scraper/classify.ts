import { classify, ErrorCode } from '../../core/errors.ts';
import type { Outcome } from '../../core/job-state.ts';
import { RunAborted } from './abort.ts';

/** What a thrown value means for the job. */
export function classifyOutcome(thrown: unknown, jobTimeoutMs: number): Outcome {
  if (thrown instanceof RunAborted) {
    // A job that was lost belongs to somebody else or to nobody; the fence drops this outcome whatever it is.
    return thrown.why === 'released' ? { kind: 'released' } : { kind: 'cancelled' };
  }
  if (thrown instanceof DOMException && thrown.name === 'TimeoutError') {
    const message = `the attempt took longer than ${jobTimeoutMs} ms`;
    return { kind: 'retry', error: { code: ErrorCode.attemptTimeout, message } };
  }
  const error = classify(thrown);
  const info = { code: error.code, message: error.message };
  switch (error.consequence) {
    case 'retryable':
      return { kind: 'retry', error: info };
    case 'permanent':
      return { kind: 'fail', error: info };
    case 'snooze':
      return { kind: 'snooze', error: info, delayMs: error.delayMs };
    case 'fatal':
      return { kind: 'released' };
    default:
      return error satisfies never;
  }
}
