import { createHash } from 'node:crypto';
import type { JobSpec } from '../../core/jobs/job.ts';
import {
  batchRequest,
  DEFAULT_PRIORITY,
  idempotencyKey,
  scrapeRequest,
} from '../../core/jobs/job-schemas.ts';
import type { AcceptedJob, Submission } from '../../db/jobs/accept.ts';
import { type DispatchableJob, searchOf } from '../../db/jobs/dispatch.ts';
import type { Dispatch } from '../../dispatch/dispatch.ts';
import { BATCH_BODY_LIMIT, BODY_LIMIT } from '../http/body.ts';
import { conflict, invalidRequest } from '../http/problem.ts';
import { type ApiRequest, type ApiResponse, type Handler, sendJson } from '../http/route.ts';
import { expectNoQuery, readBody } from '../http/validation.ts';
import type { Accept } from './accept.ts';

export interface SubmitDependencies {
  accept: Accept;
  dispatch: Pick<Dispatch, 'offer'>;
}

/** `POST /jobs/scrape`: stores the job, answers, and only then rings the doorbell. */
export const submitJob =
  ({ accept, dispatch }: SubmitDependencies): Handler =>
  async (request, response) => {
    expectNoQuery(request);
    const { body } = await readBody(request, scrapeRequest);
    const submission = submissionOf(request, response, [body], body);
    const { jobs, fresh } = await acceptOrConflict(accept, submission);
    const [job] = jobs;
    if (!job) throw new Error('accept gave no job');
    sendAccepted(response, job, ['pages', 'leads', 'events']);
    if (fresh) dispatch.offer(dispatchable(submission, jobs));
  };

/** 202: the job is stored, and these of its parts can be asked for. */
export function sendAccepted(response: ApiResponse, job: AcceptedJob, parts: string[]): void {
  const self = `/api/v1/jobs/${job.id}`;
  const links = Object.fromEntries(parts.map((part) => [part, `${self}/${part}`]));
  const { id, status, createdAt } = job;
  const body = { job_id: id, status, created_at: createdAt, links: { self, ...links } };
  sendJson(response, 202, body, { location: self });
}

/** `POST /jobs/batch`: all or nothing. */
export const submitBatch =
  ({ accept, dispatch }: SubmitDependencies): Handler =>
  async (request, response) => {
    expectNoQuery(request);
    const { body, bytes } = await readBody(request, batchRequest, BATCH_BODY_LIMIT);
    if (bytes > BODY_LIMIT) expectEachWithinLimit(body.jobs);
    const submission = submissionOf(request, response, body.jobs, body);
    const { jobs, fresh } = await acceptOrConflict(accept, submission);
    sendJson(response, 202, { jobs: jobs.map(({ id, status }) => ({ job_id: id, status })) });
    if (fresh) dispatch.offer(dispatchable(submission, jobs));
  };

/** A batch is many jobs in one request, and no way to a larger job. */
function expectEachWithinLimit(specs: JobSpec[]): void {
  const errors = specs.flatMap((spec, index) =>
    Buffer.byteLength(JSON.stringify(spec)) > BODY_LIMIT
      ? [{ path: `jobs.${index}`, message: `expected a job of at most ${BODY_LIMIT} bytes` }]
      : [],
  );
  if (errors.length > 0) throw invalidRequest(errors);
}

/** What a request wants accepted, with its `Idempotency-Key`; `body` is what that key stands for. */
export function submissionOf(
  request: ApiRequest,
  response: ApiResponse,
  specs: JobSpec[],
  body: unknown,
): Submission {
  const submission = {
    userId: response.locals.caller.userId,
    correlationId: response.locals.requestId,
    specs,
  };
  const header = request.headers['idempotency-key'];
  if (header === undefined) return submission;
  const key = idempotencyKey.safeParse(header);
  if (!key.success) {
    const message = key.error.issues[0]?.message ?? 'expected a key';
    throw invalidRequest([{ path: 'Idempotency-Key', message }]);
  }
  return { ...submission, idempotency: { key: key.data, bodyHash: hashBody(body) } };
}

export async function acceptOrConflict(accept: Accept, submission: Submission) {
  const acceptance = await accept(submission);
  if (acceptance.kind === 'key_conflict') {
    throw conflict('idempotency_conflict', 'this Idempotency-Key was used with another body');
  }
  return acceptance;
}

/** The same fields in another order are the same request. */
const hashBody = (body: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(body, (_key, value: unknown) => sorted(value)))
    .digest('hex');

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Those that are ready now; a scheduled one is the sweep's when its time comes. */
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
