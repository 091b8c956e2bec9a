import type { ErrorInfo } from '../errors.ts';
import type { UrlLogin } from '../url-login.ts';
import type { ScrapeRequest } from './job-schemas.ts';
import type { JobStatus, OutcomeKind } from './job-status.ts';
import type { WaitingFor } from './waiting-for.ts';

/** The validated request, without the fields that are columns of the job. */
export type JobSpec = ScrapeRequest & {
  /** Set for jobs of `POST /jobs/map`, which only discover URLs. */
  map?: { limit: number };
  /** Origins whose user name and password are stored; they stood in `urls`. */
  url_credentials?: string[];
};

/** A spec with its secrets, in a worker. */
export type RunnableSpec = JobSpec & {
  /** User names and passwords that stood in `urls`. */
  logins?: readonly UrlLogin[];
};

export interface Progress {
  done: number;
  total: number;
  message: string | null;
}

export interface Counts {
  /** Pages stored, including those with an `error`. */
  pages: number;
  leads: number;
  /** How many of `pages` have an `error`. */
  errors: number;
}

/** One run of a job by one worker. A running one has no `finished_at` and no `outcome`. */
export interface Attempt {
  attempt: number;
  worker: string | null;
  started_at: Date;
  finished_at: Date | null;
  outcome: OutcomeKind | null;
  error: ErrorInfo | null;
}

/** A job in the HTTP contract. */
export interface Job {
  job_id: string;
  user_id: string;
  status: JobStatus;
  waiting_for: WaitingFor | null;
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

/** A job claimed by a worker. `attempt` and `workerId` are the fence of every write of this run. */
export interface ClaimedJob {
  id: string;
  userId: string;
  attempt: number;
  maxAttempts: number;
  /** Snoozes so far. */
  snoozes: number;
  /** It ran before (snooze, release or retry), so it may have stored results. */
  isResumed: boolean;
  workerId: string;
  spec: RunnableSpec;
  /** Why the secrets of `spec` could not be decrypted: it cannot be run. */
  unreadable?: Error;
  correlationId: string;
}

/** A worker's write succeeds only while the job is running as this attempt of this worker. */
export type Fence = Pick<ClaimedJob, 'id' | 'attempt' | 'workerId'>;
