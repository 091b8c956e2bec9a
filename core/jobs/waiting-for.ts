import type { JobStatus } from './job-status.ts';

/** Why a job does not run yet. */
export interface WaitingFor {
  /**
   * - `run_at`: its time
   * - `retry`: the back-off after an attempt
   * - `running_jobs`: others of its user to end, of which as many run as may
   * - `slot`: its user's turn, and a free slot of a worker
   */
  code: 'run_at' | 'retry' | 'running_jobs' | 'slot';
  /** For people. */
  message: string;
}

/**
 * Null for a job that runs or is final.
 *
 * @param limited how many jobs of its user run, and how many may; null if there is no limit
 */
export function waitingFor(
  status: JobStatus,
  runAt: Date,
  limited: { running: number; limit: number } | null,
): WaitingFor | null {
  switch (status) {
    case 'scheduled':
      return { code: 'run_at', message: `its time, ${runAt.toISOString()}` };
    case 'retrying':
      return { code: 'retry', message: `its next attempt, at ${runAt.toISOString()}` };
    case 'queued':
      if (limited && limited.running >= limited.limit) {
        const { running, limit } = limited;
        return { code: 'running_jobs', message: `your other jobs (${running} of ${limit} running)` };
      }
      return { code: 'slot', message: 'your turn and a free worker' };
    case 'running':
    case 'completed':
    case 'failed':
    case 'cancelled':
      return null;
    default:
      return status satisfies never;
  }
}
