/**
 * | state     | in by                                        | out by                                   | deleted by |
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

/** How an attempt ended, in its history and events. Their data: `Outcome` in job-state.ts. */
export const OUTCOME_KINDS = [
  'completed',
  'retry',
  'fail',
  'snooze',
  'cancelled',
  'released',
  'crashed',
] as const;
export type OutcomeKind = (typeof OUTCOME_KINDS)[number];
