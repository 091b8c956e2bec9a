import { failureStatus } from '../../core/jobs/failure-status.ts';
import type { JobSpec } from '../../core/jobs/job.ts';
import { MAX_WAIT_SECONDS } from '../../core/jobs/job-queries.ts';
import { isFinal } from '../../core/jobs/job-status.ts';
import type { Database } from '../../db/connect.ts';
import type { AcceptedJob, Submission } from '../../db/jobs/accept.ts';
import { cancelJob } from '../../db/jobs/change.ts';
import { findResult, type JobResult } from '../../db/jobs/finished.ts';
import type { Dispatch } from '../../dispatch/dispatch.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { Problem } from '../http/problem.ts';
import { type ApiRequest, type ApiResponse, sendText } from '../http/route.ts';
import { JOB_PARTS, linksOf, sendAccepted } from './accepted.ts';
import { dispatchable } from './dispatchable.ts';
import type { LongPoll } from './long-poll.ts';

/** What answering with the result of a job needs. */
export interface AwaitDependencies {
  database: Database;
  longPoll: LongPoll;
  dispatch: Pick<Dispatch, 'offer'>;
  logger: Logger;
}

export interface Awaited {
  submission: Submission;
  job: AcceptedJob;
  /** False if the job was accepted before: it may have ended. */
  fresh: boolean;
  waitMs: number;
  /** Whether the job is cancelled if its client goes away during the wait. */
  cancelIfGone: boolean;
}

/**
 * Dispatches a stored job and answers with its result: 200 with the page of a job of one page, 202
 * with the job if it takes longer than the wait.
 *
 * @throws Problem with the code of a job that failed
 */
export async function answerWithResult(
  { database, longPoll, dispatch, logger }: AwaitDependencies,
  response: ApiResponse,
  { submission, job, fresh, waitMs, cancelIfGone }: Awaited,
): Promise<void> {
  const { userId, specs } = submission;
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const read = () => findResult(database, userId, job.id);
  let result = fresh ? null : await read();
  if (!result || !isFinal(result.status)) {
    // Before the dispatch, or the end of a fast job would be announced to no one.
    const ended = longPoll.untilFinal(job.id, waitMs, gone.signal);
    if (fresh) dispatch.offer(dispatchable(submission, [job]).map((ready) => ({ ...ready, awaited: true })));
    // The job is stored; the body need not stay in memory during the wait.
    response.locals.body.release();
    await ended;
    if (response.destroyed || gone.signal.aborted) {
      if (cancelIfGone) await cancelUnseen();
      return;
    }
    result = await read();
  }
  if (!result || !isFinal(result.status)) return sendAccepted(response, job, JOB_PARTS);
  if (result.status !== 'completed') throw failure(job, result);
  sendResult(response, job, result, isOfOnePage(specs[0]));

  async function cancelUnseen(): Promise<void> {
    await cancelJob(database, userId, job.id).catch((error) =>
      logger.warn('abandoned_job_not_cancelled', { job_id: job.id, error }),
    );
  }
}

/** Joined as text: a page may be megabytes, and it is stored as JSON already. */
function sendResult(
  response: ApiResponse,
  job: AcceptedJob,
  { status, page }: JobResult,
  withPage: boolean,
): void {
  const { id, createdAt } = job;
  const head = JSON.stringify({
    ...{ job_id: id, status, created_at: createdAt, links: linksOf(job, JOB_PARTS) },
  });
  const text = withPage && page !== null ? `${head.slice(0, -1)},"page":${page}}` : head;
  const location = `/api/v1/jobs/${id}`;
  sendText(response, 200, 'application/json; charset=utf-8', text, { 'content-location': location });
}

function failure(job: AcceptedJob, { status, error }: JobResult): Problem {
  const { code, message } = error ?? { code: 'internal_error', message: 'the job failed' };
  const extra = { members: { job_id: job.id }, isOfJob: true };
  if (status === 'cancelled')
    return new Problem(409, 'job_cancelled', 'the job was cancelled while this request waited', extra);
  return new Problem(failureStatus(code), code, message, extra);
}

const isOfOnePage = (spec: JobSpec | undefined): boolean =>
  spec?.urls?.length === 1 && !spec.crawl && !spec.source_types;

/**
 * How long a request is ready to wait, in seconds: `?wait=`, else `Prefer: wait=` (RFC 7240), of
 * which more than the maximum is taken as the maximum; undefined without either.
 */
export function waitOf(request: ApiRequest, query: { wait?: number | undefined }): number | undefined {
  if (query.wait !== undefined) return query.wait;
  const header = request.headers.prefer;
  if (header === undefined) return undefined;
  const [, seconds] = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=$|[,;])/i.exec(String(header)) ?? [];
  return seconds === undefined ? undefined : Math.min(Number(seconds), MAX_WAIT_SECONDS);
}
