import { z } from 'zod';
import type { Job } from '../core/jobs/job.ts';
import { isFinal, JOB_STATUSES } from '../core/jobs/job-status.ts';
import { errorShape } from './pages.ts';
import { oneLine } from './untrusted.ts';

/** What an agent needs to know of a job. */
export const jobSummary = z.object({
  job_id: z.string(),
  status: z.enum(JOB_STATUSES),
  ended: z.boolean(),
  progress: z.object({ done: z.number(), total: z.number().nullable(), message: z.string().nullable() }),
  counts: z.object({ pages: z.int(), leads: z.int(), errors: z.int() }),
  error: errorShape,
  created_at: z.string(),
  finished_at: z.string().nullable(),
});
export type JobSummary = z.infer<typeof jobSummary>;

/** A job as HTTP gives it: moments are ISO 8601. */
export type JobAnswer = Omit<Job, 'created_at' | 'finished_at'> & {
  created_at: string;
  finished_at: string | null;
};

export const summaryOf = (job: JobAnswer): JobSummary => ({
  job_id: job.job_id,
  status: job.status,
  ended: isFinal(job.status),
  progress: {
    done: job.progress.done,
    total: job.progress.total,
    message: job.progress.message && oneLine(job.progress.message),
  },
  counts: { pages: job.counts.pages, leads: job.counts.leads, errors: job.counts.errors },
  error: job.error && { code: job.error.code, message: oneLine(job.error.message) },
  created_at: job.created_at,
  finished_at: job.finished_at,
});

export function summaryText({ job_id, status, ended, progress, counts, error }: JobSummary): string {
  const { done, total, message } = progress;
  return [
    `Job ${job_id} is ${status}: ${done}${total === null ? '' : ` of ${total}`} done, ${counts.pages} pages, ${counts.leads} leads, ${counts.errors} errors.`,
    ...(message ? [`Progress: ${message}`] : []),
    ...(error ? [`Error ${error.code}: ${error.message}`] : []),
    ...(ended ? [] : [`It goes on: check_job with job_id ${job_id} waits for it, cancel_job ends it.`]),
  ].join('\n');
}
