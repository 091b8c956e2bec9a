import { classify, ErrorCode } from '../../core/errors.ts';
import type { Outcome } from '../../core/jobs/job-state.ts';
import { RunAborted } from './attempt-aborted.ts';

/** What a thrown value means for the job. */
export function classifyOutcome(thrown: unknown, jobTimeoutMs: number): Outcome {
  if (thrown instanceof RunAborted) return outcomeOfAbort(thrown, jobTimeoutMs);
  const error = classify(thrown);
  const info = { code: error.code, message: error.message };
  switch (error.consequence) {
    case 'retryable':
      return { kind: 'retry', error: info };
    case 'permanent':
      return { kind: 'fail', error: info };
    case 'snooze':
      return { kind: 'snooze', error: info, delayMs: error.delayMs, patience: error.patience };
    case 'fatal':
      return { kind: 'released' };
    default:
      return error satisfies never;
  }
}

function outcomeOfAbort({ why }: RunAborted, jobTimeoutMs: number): Outcome {
  switch (why) {
    case 'released':
      return { kind: 'released' };
    case 'lost':
      // It belongs to somebody else or to nobody; the fence drops this outcome whatever it is.
      return { kind: 'cancelled' };
    case 'late': {
      const message = `the attempt took longer than ${jobTimeoutMs} ms`;
      return { kind: 'retry', error: { code: ErrorCode.attemptTimeout, message } };
    }
    default:
      return why satisfies never;
  }
}
