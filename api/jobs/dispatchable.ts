import { DEFAULT_PRIORITY } from '../../core/jobs/job-schemas.ts';
import type { AcceptedJob, Submission } from '../../db/jobs/accept.ts';
import { type NewJob, searchOf } from '../../db/jobs/dispatch.ts';

/** The jobs that are ready now; the scheduler dispatches the others when they are due. */
export function dispatchable({ userId, correlationId, specs }: Submission, jobs: AcceptedJob[]): NewJob[] {
  const ready: NewJob[] = [];
  for (const [index, { id, status, runningLimit }] of jobs.entries()) {
    const spec = specs[index];
    if (!spec || status !== 'queued') continue;
    ready.push({
      id,
      userId,
      attempt: 0,
      yieldCount: 0,
      priority: spec.priority ?? DEFAULT_PRIORITY,
      runningLimit,
      correlationId,
      search: searchOf(spec),
    });
  }
  return ready;
}
