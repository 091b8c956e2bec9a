import { z } from 'zod';
import type { JobSpec } from '../../../core/jobs/job.ts';

/**
 * What a scripted worker does with a job, written by the load generator into the job's `metadata`.
 * `key` and `index` identify the job independently of its id: two jobs of one key and index are a
 * duplicate.
 */
export const jobScript = z.object({
  key: z.string(),
  index: z.number(),
  end: z.enum(['complete', 'fail', 'retry_once', 'snooze_once', 'kill_worker']),
  /** Milliseconds per page. */
  ms: z.number(),
  /** The position of a page that fails; the job completes all the same. */
  bad: z.number().nullable(),
});
export type JobScript = z.infer<typeof jobScript>;

export const scriptOf = (spec: Pick<JobSpec, 'metadata'>): JobScript => jobScript.parse(spec.metadata?.chaos);
