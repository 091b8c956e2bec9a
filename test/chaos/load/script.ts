import { z } from 'zod';
import type { JobSpec } from '../../../core/jobs/job.ts';

/**
 * What a scripted worker does with a job, written by the load generator into the job's `metadata`. `key` and `index` name the
 * job independently of the id it is given: two jobs of one key and index are one job done twice.
 */
export const jobScript = z.object({
  key: z.string(),
  index: z.number(),
  end: z.enum(['complete', 'fail', 'retry_once', 'snooze_once', 'kill_worker']),
  /** Milliseconds a page takes. */
  ms: z.number(),
  /** A place whose page fails; the job completes all the same. */
  bad: z.number().nullable(),
});
export type JobScript = z.infer<typeof jobScript>;

export const scriptOf = (spec: Pick<JobSpec, 'metadata'>): JobScript => jobScript.parse(spec.metadata?.chaos);
