import type { JobSpec } from '../../core/jobs/job.ts';
import { listUrlsQuery } from '../../core/jobs/job-queries.ts';
import { type MapRequest, mapRequest } from '../../core/jobs/job-schemas.ts';
import { isFinal } from '../../core/jobs/job-status.ts';
import { decodeUri, fold } from '../../core/text.ts';
import { withoutLogin } from '../../core/url-login.ts';
import type { Sql } from '../../db/connect.ts';
import { findJob } from '../../db/jobs/read.ts';
import { hasUnvisitedUrls, listSiteUrls, type SiteUrl } from '../../db/pages/crawl.ts';
import { decodePageCursor, encodePageCursor } from '../http/cursor.ts';
import { hashBody } from '../http/idempotency.ts';
import { Problem } from '../http/problem.ts';
import { type Handler, sendJson } from '../http/route.ts';
import { readBody, readQuery, requireNoQuery } from '../http/validation.ts';
import { sendAccepted } from './accepted.ts';
import { dispatchable } from './dispatchable.ts';
import type { LongPoll } from './long-poll.ts';
import { ownJob } from './own-job.ts';
import { acceptOne, type SubmitDependencies, submissionOf } from './submit.ts';

/** Many proxies close a connection after a minute. */
const WAIT_MS = 50_000;
/** The highest: a client waits for the answer. */
const PRIORITY = 9;

type MapDependencies = SubmitDependencies & { sql: Sql; longPoll: LongPoll; waitMs?: number | undefined };

/**
 * `POST /jobs/map`: the URLs of a site in one answer. It runs as a job, because all outbound
 * requests come from a worker behind its egress guard. The request waits for the job, and gets 202
 * with links if that takes too long.
 */
export const mapSite = ({
  accept,
  dispatch,
  refusedTargets,
  sql,
  longPoll,
  waitMs = WAIT_MS,
}: MapDependencies): Handler => {
  const schema = refusedTargets.refuseIn(mapRequest, ({ url }) => [{ path: ['url'], url }]);
  return async (request, response) => {
    requireNoQuery(request);
    const body = await readBody(request, schema);
    const submission = submissionOf(request, response, [specOf(body)], () => hashBody(body));
    const { job: accepted, jobs, fresh } = await acceptOne(accept, submission);
    if (fresh) dispatch.offer(dispatchable(submission, jobs));
    // The job is stored; the body need not stay in memory during the wait.
    response.locals.body.release();

    const gone = new AbortController();
    response.on('close', () => gone.abort());
    await longPoll.untilFinal(accepted.id, waitMs, gone.signal);
    if (gone.signal.aborted) return;
    const job = await findJob(sql, submission.userId, accepted.id);
    if (!job || !isFinal(job.status)) return sendAccepted(response, accepted, ['urls', 'events']);
    if (job.status !== 'completed') {
      const { code, message } = job.error ?? { code: 'cancelled', message: 'the job was cancelled' };
      throw new Problem(
        502,
        'map_failed',
        `${withoutLogin(body.url)} could not be read: ${message} (${code})`,
        { isOfJob: true },
      );
    }
    const [found, isUnfinished] = await Promise.all([
      listSiteUrls(sql, job.job_id, -1, mostKnown(body)),
      hasUnvisitedUrls(sql, job.job_id),
    ]);
    const matching = found.filter(matches(body.search));
    const urls = matching.slice(0, body.limit).map(toResponse);
    const incomplete = isUnfinished || matching.length > urls.length || found.length >= mostKnown(body);
    const { message } = job.progress;
    sendJson(response, 200, { job_id: job.job_id, urls, total: urls.length, incomplete, message });
  };
};

const specOf = ({ url, limit, include, exclude, same_origin, search }: MapRequest): JobSpec => ({
  urls: [url],
  crawl: {
    ...(include ? { include } : {}),
    ...(exclude ? { exclude } : {}),
    ...(same_origin === undefined ? {} : { same_origin }),
  },
  map: { limit: mostKnown({ limit, search }) },
  priority: PRIORITY,
  max_attempts: 2,
});

/** Addresses that the job may know; `limit` applies to those that match. */
const mostKnown = ({ limit, search }: Pick<MapRequest, 'limit' | 'search'>): number =>
  search === undefined ? limit : MOST_SEARCHED;

/** As many as `limit` may be at most. */
const MOST_SEARCHED = 50_000;

/** Every word occurs in the path, the query, the title or the text of the link. */
function matches(search: string | undefined): (found: SiteUrl) => boolean {
  const words = fold(search ?? '').split(/\s+/);
  return ({ url, title, linkText }) => {
    const { pathname, search: query, hash } = new URL(url);
    const searched = fold(`${decodeUri(pathname + query + hash)} ${title ?? ''} ${linkText ?? ''}`);
    return words.every((word) => searched.includes(word));
  };
}

const toResponse = ({ url, title }: Pick<SiteUrl, 'url' | 'title'>) =>
  title === null ? { url } : { url, title };

/** `GET /jobs/{id}/urls`: the URLs a crawl or map has discovered so far, in that order. */
export const listJobUrls =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor } = readQuery(request, listUrlsQuery);
    const after = decodePageCursor(cursor);
    const job = await ownJob(sql, request, response);
    const urls = await listSiteUrls(sql, job.job_id, after, limit + 1);
    const last = urls.length > limit ? urls[limit - 1] : undefined;
    const nextCursor = last ? encodePageCursor(last.position) : null;
    sendJson(response, 200, { urls: urls.slice(0, limit).map(toResponse), next_cursor: nextCursor });
  };
