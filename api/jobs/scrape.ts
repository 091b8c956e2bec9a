import type { JobSpec } from '../../core/jobs/job.ts';
import { scrapePageQuery } from '../../core/jobs/job-queries.ts';
import { type PageRequest, pageRequest } from '../../core/jobs/job-schemas.ts';
import { hashBody, idempotencyKeyOf } from '../http/idempotency.ts';
import type { Handler } from '../http/route.ts';
import { readBody, readQuery } from '../http/validation.ts';
import { JOB_PARTS, sendAccepted } from './accepted.ts';
import { type AwaitDependencies, answerWithResult, waitOf } from './awaited.ts';
import { dispatchable } from './dispatchable.ts';
import { acceptOne, type SubmitDependencies, submissionOf, urlsOf } from './submit.ts';

const DEFAULT_WAIT_SECONDS = 30;
/** The highest: a client waits for the answer. */
const PRIORITY = 9;
/** A client rather learns of a failure than waits for a third attempt. */
const MAX_ATTEMPTS = 2;

/**
 * `POST /scrape`: one page in one answer. It is a job like any other, of the highest priority. If
 * its client goes away during the wait the job is cancelled, unless it has an `Idempotency-Key`, by
 * which its answer can still be asked for, or `?keep=true`.
 */
export const scrapePage = (dependencies: SubmitDependencies & AwaitDependencies): Handler => {
  const { accept, dispatch, refusedTargets } = dependencies;
  const schema = refusedTargets.refuseIn(pageRequest, ({ url, ...others }) => [
    { path: ['url'], url },
    ...urlsOf(others),
  ]);
  return async (request, response) => {
    const query = readQuery(request, scrapePageQuery);
    const wait = waitOf(request, query) ?? DEFAULT_WAIT_SECONDS;
    const body = await readBody(request, schema);
    const submission = submissionOf(request, response, [specOf(body)], () => hashBody(body));
    const { job, jobs, fresh } = await acceptOne(accept, submission);
    if (wait === 0) {
      sendAccepted(response, job, JOB_PARTS);
      if (fresh) dispatch.offer(dispatchable(submission, jobs));
      return;
    }
    const cancelIfGone = !query.keep && idempotencyKeyOf(request) === undefined;
    const awaited = { submission, job, fresh, waitMs: wait * 1000, cancelIfGone };
    await answerWithResult(dependencies, response, awaited);
  };
};

const specOf = ({ url, ...fields }: PageRequest): JobSpec => ({
  urls: [url],
  ...fields,
  priority: fields.priority ?? PRIORITY,
  max_attempts: fields.max_attempts ?? MAX_ATTEMPTS,
});
