import type { ErrorInfo } from '../errors.ts';
import type { ScrapeRequest } from './job-schemas.ts';
import type { JobStatus, OutcomeKind } from './job-status.ts';

/** What the user asked for, as accepted: the validated request without what the job's own columns hold. */
export type JobSpec = ScrapeRequest & {
  /** Of a job that only looks for the addresses of a site, as `POST /jobs/map` makes it. */
  map?: { limit: number };
};

export interface Progress {
  done: number;
  total: number;
  message: string | null;
}

export interface Counts {
  /** Page records stored, those with an `error` included. */
  pages: number;
  leads: number;
  /** How many of `pages` carry an `error`. */
  errors: number;
}

/** One run of a job by one worker. The running one has neither `finished_at` nor `outcome` yet. */
export interface Attempt {
  attempt: number;
  worker: string | null;
  started_at: Date;
  finished_at: Date | null;
  outcome: OutcomeKind | null;
  error: ErrorInfo | null;
}

/** A job as the HTTP contract shows it. */
export interface Job {
  job_id: string;
  status: JobStatus;
  attempt: number;
  max_attempts: number;
  priority: number;
  spec: JobSpec;
  progress: Progress;
  counts: Counts;
  error: ErrorInfo | null;
  attempts: Attempt[];
  created_at: Date;
  run_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

/** A job in a worker's hands. `attempt` and `workerId` together are the fence every write of this run carries. */
export interface ClaimedJob {
  id: string;
  userId: string;
  attempt: number;
  maxAttempts: number;
  /** How often it was snoozed so far. */
  snoozes: number;
  /** It ran before: it was snoozed, handed back or is tried again. A job that never ran has stored nothing. */
  isResumed: boolean;
  workerId: string;
  spec: JobSpec;
  correlationId: string;
}

/** The fence: a write by a worker happens only while the job is still running as this attempt of this worker. */
export type Fence = Pick<ClaimedJob, 'id' | 'attempt' | 'workerId'>;
