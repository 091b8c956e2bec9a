import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { Job } from '../../core/jobs/job.ts';
import { cancelJobsRequest, getJobQuery, listJobsQuery, metadataQuery } from '../../core/jobs/job-queries.ts';
import { isFinal } from '../../core/jobs/job-status.ts';
import { writeAudit } from '../../db/accounts/audit.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { cancelJob, cancelJobs, type JobChange, retryJob } from '../../db/jobs/change.ts';
import { type JobFilter, listJobs } from '../../db/jobs/list.ts';
import { findJobOwner } from '../../db/jobs/read.ts';
import { actorOf } from '../accounts/audit.ts';
import { isAdmin } from '../http/access.ts';
import { decodeJobCursor, encodeJobCursor } from '../http/cursor.ts';
import { conflict, invalidRequest } from '../http/problem.ts';
import {
  type ApiRequest,
  type ApiResponse,
  answerHeaders,
  type Handler,
  pathParameter,
  sendJson,
  sendText,
} from '../http/route.ts';
import { subjectOf } from '../http/subject.ts';
import { parseAs, readBody, readQuery, requireNoQuery } from '../http/validation.ts';
import type { LongPoll } from './long-poll.ts';
import { noSuchJob, ownJob } from './own-job.ts';

/** `GET /jobs/{id}`; with `?wait=` the answer comes when the job is final. */
export const showJob =
  (sql: Sql, longPoll: LongPoll): Handler =>
  async (request, response) => {
    const { wait } = readQuery(request, getJobQuery);
    let job = await ownJob(sql, request, response);
    if (wait && !isFinal(job.status)) {
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      await longPoll.untilFinal(job.job_id, wait * 1000, gone.signal);
      if (gone.signal.aborted) return;
      job = await ownJob(sql, request, response);
    }
    sendTagged(request, response, job);
  };

/** Polling clients send their ETag and get an empty 304 until the job changes. */
function sendTagged(request: ApiRequest, response: ApiResponse, job: Job): void {
  const text = JSON.stringify(job);
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
  const headers = { etag, 'cache-control': 'private, no-cache' };
  if (!names(request.headers['if-none-match'], etag)) {
    sendText(response, 200, 'application/json; charset=utf-8', text, headers);
    return;
  }
  response.writeHead(304, { ...answerHeaders(response), ...headers });
  response.end();
}

const names = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch?.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag) ??
  false;

/** `GET /jobs`, newest first. `user_id` is for admins. */
export const listOwnJobs =
  (sql: Sql): Handler =>
  async (request, response) => {
    const [asked, metadata] = splitMetadata(request.query);
    const query = parseAs(listJobsQuery, asked);
    const { jobs, next } = await listJobs(sql, {
      ...filterOf({ ...query, ...parseAs(metadataQuery, { metadata }) }),
      userId: await subjectOf(sql, response, query.user_id),
      limit: query.limit,
      oldestFirst: query.sort === 'created_at',
      after: decodeJobCursor(query.cursor),
    });
    const wanted = query.fields;
    sendJson(response, 200, {
      jobs: wanted ? jobs.map((job) => Object.fromEntries(wanted.map((name) => [name, job[name]]))) : jobs,
      next_cursor: next && encodeJobCursor(next),
    });
  };

/** Splits off filters such as `metadata.order=7`, whose names are the user's own. */
function splitMetadata(query: ApiRequest['query']): [Record<string, unknown>, Record<string, unknown>] {
  const isMetadata = ([name]: [string, unknown]) => name.startsWith(METADATA);
  const entries = Object.entries(query);
  // zod would drop it, and all jobs would match.
  if (Object.hasOwn(query, UNUSABLE)) {
    throw invalidRequest([{ path: UNUSABLE, message: 'expected another name than __proto__' }]);
  }
  return [
    Object.fromEntries(entries.filter((entry) => !isMetadata(entry))),
    Object.fromEntries(
      entries.filter(isMetadata).map(([name, value]) => [name.slice(METADATA.length), value]),
    ),
  ];
}

const METADATA = 'metadata.';
const UNUSABLE = `${METADATA}__proto__`;

export const filterOf = (asked: z.infer<typeof cancelJobsRequest>): JobFilter => ({
  statuses: asked.status,
  createdAfter: asked.created_after,
  createdBefore: asked.created_before,
  metadata: asked.metadata,
});

/**
 * `POST /jobs/cancel {status?, created_after?, created_before?, metadata?, user_id?}`: all that match
 * and are not final.
 */
export const cancelMany =
  (database: Database): Handler =>
  async (request, response) => {
    const [asked, metadata] = splitMetadata(request.query);
    const inQuery = Object.keys(metadata).length > 0 ? { ...asked, metadata } : asked;
    // Filters come in the query, as in `GET /jobs`, or in the body.
    const filter =
      Object.keys(inQuery).length > 0
        ? parseAs(cancelJobsRequest, inQuery)
        : await readBody(request, cancelJobsRequest, {});
    const userId = await subjectOf(database, response, filter.user_id);
    const ids = await cancelJobs(database, userId, filterOf(filter));
    if (userId !== response.locals.caller.userId) {
      await writeAudit(database, actorOf(response), {
        action: 'job.cancelled',
        target: { kind: 'job', id: null, userId },
        details: { filter, jobs: ids.length },
      });
    }
    sendJson(response, 200, { cancelled: ids.length, job_ids: ids.slice(0, MAX_IDS) });
  };

const MAX_IDS = 10_000;

/** `POST /jobs/{id}/cancel`. Like `retry` it has no body; one that is sent is not read. */
export const cancel = (database: Database): Handler => changeJob(database, cancelJob, 'cancelled');

/** `POST /jobs/{id}/retry`. */
export const retry = (database: Database): Handler => changeJob(database, retryJob, 'retried');

const changeJob =
  (
    database: Database,
    change: (sql: Sql, userId: string, id: string) => Promise<JobChange>,
    participle: 'cancelled' | 'retried',
  ): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { caller } = response.locals;
    const id = pathParameter(request, 'id');
    const ownerId = isAdmin(caller) ? await findJobOwner(database, id) : caller.userId;
    if (ownerId === null) throw noSuchJob();
    const result =
      ownerId === caller.userId
        ? await change(database, ownerId, id)
        : await database.transaction(async (sql) => {
            const changed = await change(sql, ownerId, id);
            if (changed.kind === 'changed') {
              await writeAudit(sql, actorOf(response), {
                action: `job.${participle}`,
                target: { kind: 'job', id, userId: ownerId },
              });
            }
            return changed;
          });
    switch (result.kind) {
      case 'changed':
        return sendJson(response, 200, result.job);
      case 'not_allowed':
        throw conflict('job_state_conflict', `a job that is ${result.job.status} cannot be ${participle}`);
      case 'not_found':
        throw noSuchJob();
      default:
        return result satisfies never;
    }
  };
