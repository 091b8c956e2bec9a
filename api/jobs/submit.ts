import type { JobSpec } from '../../core/jobs/job.ts';
import {
  batchRequest,
  DEFAULT_PRIORITY,
  MAX_BATCH,
  type ScrapeRequest,
  scrapeRequest,
} from '../../core/jobs/job-schemas.ts';
import type { AcceptedJob, Submission } from '../../db/jobs/accept.ts';
import { type DispatchableJob, searchOf } from '../../db/jobs/dispatch.ts';
import type { Dispatch } from '../../dispatch/dispatch.ts';
import { BATCH_BODY_LIMIT, BODY_LIMIT } from '../http/body.ts';
import { hashBatch, hashBody, idempotencyConflict, idempotencyKeyOf } from '../http/idempotency.ts';
import type { RefusedTargets, UrlField } from '../http/refused-targets.ts';
import { type ApiRequest, type ApiResponse, type Handler, sendJson } from '../http/route.ts';
import { readBody, readItems, requireNoQuery } from '../http/validation.ts';
import type { Accept } from './accept.ts';

export interface SubmitDependencies {
  accept: Accept;
  dispatch: Pick<Dispatch, 'offer'>;
  refusedTargets: RefusedTargets;
}

/** What a job connects to: its pages, its webhook and its proxies. */
export function urlsOf({ urls = [], webhook_url, proxy = [] }: ScrapeRequest): UrlField[] {
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

/** `POST /jobs/scrape`: stores the job, answers, and only then dispatches it. */
export const submitJob = ({ accept, dispatch, refusedTargets }: SubmitDependencies): Handler => {
  const schema = refusedTargets.refuseIn(scrapeRequest, urlsOf);
  return async (request, response) => {
    requireNoQuery(request);
    const body = await readBody(request, schema);
    const submission = submissionOf(request, response, [body], () => hashBody(body));
    const { jobs, fresh } = await acceptOrConflict(accept, submission);
    const [job] = jobs;
    if (!job) throw new Error('accept gave no job');
    sendAccepted(response, job, ['pages', 'leads', 'events']);
    if (fresh) dispatch.offer(dispatchable(submission, jobs));
  };
};

/** Sends 202 with links to the job and these of its parts. */
export function sendAccepted(response: ApiResponse, job: AcceptedJob, parts: string[]): void {
  const { body, location } = acceptedAnswer(job, parts);
  sendJson(response, 202, body, { location });
}

export function acceptedAnswer({ id, status, createdAt }: AcceptedJob, parts: string[]) {
  const self = `/api/v1/jobs/${id}`;
  const links = Object.fromEntries(parts.map((part) => [part, `${self}/${part}`]));
  return { body: { job_id: id, status, created_at: createdAt, links: { self, ...links } }, location: self };
}

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
    const { jobs, fresh } = await acceptOrConflict(accept, submission);
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
  const submission = {
    userId: response.locals.caller.userId,
    correlationId: response.locals.requestId,
    specs,
  };
  const key = idempotencyKeyOf(request);
  return key === undefined ? submission : { ...submission, idempotency: { key, bodyHash: hashOfBody() } };
}

export async function acceptOrConflict(accept: Accept, submission: Submission) {
  const acceptance = await accept(submission);
  if (acceptance.kind === 'key_conflict') throw idempotencyConflict();
  return acceptance;
}

/** The jobs that are ready now; the scheduler dispatches the others when they are due. */
export function dispatchable(
  { userId, correlationId, specs }: Submission,
  jobs: AcceptedJob[],
): DispatchableJob[] {
  const ready: DispatchableJob[] = [];
  for (const [index, { id, status }] of jobs.entries()) {
    const spec = specs[index];
    if (!spec || status !== 'queued') continue;
    ready.push({
      id,
      userId,
      attempt: 0,
      yieldCount: 0,
      priority: spec.priority ?? DEFAULT_PRIORITY,
      correlationId,
      search: searchOf(spec),
    });
  }
  return ready;
}
