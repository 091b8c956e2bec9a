import type { JobSpec } from '../../core/jobs/job.ts';
import { submitQuery } from '../../core/jobs/job-queries.ts';
import {
  batchRequest,
  DEFAULT_PRIORITY,
  MAX_BATCH,
  type ScrapeRequest,
  scrapeRequest,
} from '../../core/jobs/job-schemas.ts';
import type { Submission } from '../../db/jobs/accept.ts';
import type { Dispatch } from '../../dispatch/dispatch.ts';
import { BATCH_BODY_LIMIT, BODY_LIMIT } from '../http/body.ts';
import { hashBatch, hashBody, idempotencyConflict, idempotencyKeyOf } from '../http/idempotency.ts';
import { invalidRequest, limitReached } from '../http/problem.ts';
import type { RefusedTargets, UrlField } from '../http/refused-targets.ts';
import { type ApiRequest, type ApiResponse, type Handler, sendJson } from '../http/route.ts';
import { readBody, readItems, readQuery, requireNoQuery } from '../http/validation.ts';
import type { Accept } from './accept.ts';
import { JOB_PARTS, sendAccepted } from './accepted.ts';
import { type AwaitDependencies, answerWithResult, waitOf } from './awaited.ts';
import { dispatchable } from './dispatchable.ts';

export interface SubmitDependencies {
  accept: Accept;
  dispatch: Pick<Dispatch, 'offer'>;
  refusedTargets: RefusedTargets;
}

/** What a job connects to: its pages, its webhook and its proxies. */
export function urlsOf({
  urls = [],
  webhook_url,
  proxy = [],
}: Pick<ScrapeRequest, 'urls' | 'webhook_url' | 'proxy'>): UrlField[] {
  const proxies =
    typeof proxy === 'string'
      ? [{ path: ['proxy'], url: proxy }]
      : proxy.map((url, index) => ({ path: ['proxy', index], url }));
  return [
    ...urls.map((url, index) => ({ path: ['urls', index], url })),
    ...(webhook_url === undefined ? [] : [{ path: ['webhook_url'], url: webhook_url }]),
    ...proxies,
  ];
}

/**
 * `POST /jobs/scrape`: stores the job, answers, and only then dispatches it; with `?wait=` it
 * answers with the result.
 */
export const submitJob = (dependencies: SubmitDependencies & AwaitDependencies): Handler => {
  const { accept, dispatch, refusedTargets } = dependencies;
  const schema = refusedTargets.refuseIn(scrapeRequest, urlsOf);
  return async (request, response) => {
    const wait = waitOf(request, readQuery(request, submitQuery));
    const body = await readBody(request, schema);
    const submission = submissionOf(request, response, [body], () => hashBody(body));
    const { job, jobs, fresh } = await acceptOne(accept, submission);
    if (wait) {
      const awaited = { submission, job, fresh, waitMs: wait * 1000, cancelIfGone: false };
      return answerWithResult(dependencies, response, awaited);
    }
    sendAccepted(response, job, JOB_PARTS);
    if (fresh) dispatch.offer(dispatchable(submission, jobs));
  };
};

/** `POST /jobs/batch`: all or nothing. */
export const submitBatch = ({ accept, dispatch, refusedTargets }: SubmitDependencies): Handler => {
  const item = refusedTargets.refuseIn(scrapeRequest, urlsOf);
  return async (request, response) => {
    requireNoQuery(request);
    const specs = await readItems(request, {
      limit: BATCH_BODY_LIMIT,
      // A batch is many jobs in one request; each job keeps the limit of a single one.
      limits: { field: 'jobs', maxItems: MAX_BATCH, maxBytes: BODY_LIMIT },
      around: batchRequest,
      item,
    });
    const bodyHash = idempotencyKeyOf(request) === undefined ? '' : await hashBatch(specs);
    const submission = submissionOf(request, response, specs, () => bodyHash);
    const { jobs, fresh } = await acceptOrRefuse(accept, submission);
    sendJson(response, 202, { jobs: jobs.map(({ id, status }) => ({ job_id: id, status })) });
    if (fresh) dispatch.offer(dispatchable(submission, jobs));
  };
};

/**
 * A request's submission with its `Idempotency-Key`, if it has one; `hashOfBody` gives what that key
 * identifies.
 */
export function submissionOf(
  request: ApiRequest,
  response: ApiResponse,
  specs: JobSpec[],
  hashOfBody: () => string,
): Submission {
  const { userId, keyId, limits, keyLimits } = response.locals.caller;
  requirePriority(limits.highest_priority, specs);
  const submission = {
    ...{ userId, keyId, limits, keyLimits },
    correlationId: response.locals.requestId,
    specs,
  };
  const key = idempotencyKeyOf(request);
  return key === undefined ? submission : { ...submission, idempotency: { key, bodyHash: hashOfBody() } };
}

/** Accepts the submission of one job. @throws Problem 409 for a used key, 429 for a limit */
export async function acceptOne(accept: Accept, submission: Submission) {
  const { jobs, fresh } = await acceptOrRefuse(accept, submission);
  const [job] = jobs;
  if (!job) throw new Error('accept gave no job');
  return { job, jobs, fresh };
}

/** @throws Problem 422 if a job is more urgent than its user's may be */
export function requirePriority(
  highest: number | null | undefined,
  specs: Pick<JobSpec, 'priority'>[],
  pathOf = (index: number) => (specs.length > 1 ? `jobs.${index}.priority` : 'priority'),
): void {
  if (highest == null) return;
  const errors = specs.flatMap(({ priority = DEFAULT_PRIORITY }, index) =>
    priority > highest
      ? [
          {
            path: pathOf(index),
            message: `expected at most ${highest}, the highest priority of this user`,
          },
        ]
      : [],
  );
  if (errors.length > 0) throw invalidRequest(errors.slice(0, MAX_ERRORS));
}

const MAX_ERRORS = 50;

/** @throws Problem 409 for a used key, 429 for a limit */
async function acceptOrRefuse(accept: Accept, submission: Submission) {
  const acceptance = await accept(submission);
  switch (acceptance.kind) {
    case 'accepted':
      return acceptance;
    case 'key_conflict':
      throw idempotencyConflict();
    case 'limit_reached':
      throw limitReached(acceptance.reached);
    default:
      return acceptance satisfies never;
  }
}
