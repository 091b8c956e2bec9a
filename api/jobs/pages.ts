import type { ArtifactKey, ArtifactStore } from '../../core/jobs/artifacts.ts';
import { listPagesQuery } from '../../core/jobs/job-queries.ts';
import { isFinal } from '../../core/jobs/job-status.ts';
import type { Sql } from '../../db/connect.ts';
import { findArtifact } from '../../db/pages/artifacts.ts';
import { listPages, type PageText } from '../../db/pages/pages.ts';
import { listPagesAsStored } from '../../db/pages/stored-pages.ts';
import {
  decodePageCursor,
  decodeStoredCursor,
  encodePageCursor,
  encodeStoredCursor,
} from '../http/cursor.ts';
import { artifactsUnavailable, notFound } from '../http/problem.ts';
import {
  type ApiRequest,
  type ApiResponse,
  answerHeaders,
  type Handler,
  pathParameter,
  sendText,
} from '../http/route.ts';
import { NDJSON, sendStream } from '../http/stream.ts';
import { readQuery, requireNoQuery } from '../http/validation.ts';
import { ownJob } from './own-job.ts';

const DEFAULT_LIMIT = 100;

/** `GET /jobs/{id}/pages`: one page of results as JSON, or all as streamed NDJSON. */
export const listJobPages =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { fields, limit, cursor, format, follow } = readQuery(request, listPagesQuery);
    if (follow) return sendStoredPages(sql, request, response, { limit, cursor });
    const after = decodePageCursor(cursor);
    const job = await ownJob(sql, request, response);
    if (wantsNdjson(request, format)) {
      const pages = pagesBehind(sql, job.job_id, { after, limit: limit ?? Number.POSITIVE_INFINITY, fields });
      await sendStream(response, { 'content-type': NDJSON }, pages);
      return;
    }
    const { pages, next } = await listPages(sql, job.job_id, after, limit ?? DEFAULT_LIMIT, fields);
    sendPages(response, pages, next === null ? null : encodePageCursor(next));
  };

/** Joined as text: pages are megabytes and stored as JSON already. */
function sendPages(response: ApiResponse, pages: { json: string }[], nextCursor: string | null): void {
  const list = pages.map(({ json }) => json).join(',');
  const text = `{"pages":[${list}],"next_cursor":${JSON.stringify(nextCursor)}}`;
  sendText(response, 200, 'application/json; charset=utf-8', text);
}

/**
 * `?follow=true`: the pages in the order in which they were stored, and a cursor until the job has
 * ended. The order of the request or crawl is of no use while it runs: pages are loaded side by
 * side, so one may be stored before another that a cursor has passed.
 */
async function sendStoredPages(
  sql: Sql,
  request: ApiRequest,
  response: ApiResponse,
  { limit = DEFAULT_LIMIT, cursor }: { limit?: number | undefined; cursor: string | undefined },
): Promise<void> {
  const after = decodeStoredCursor(cursor);
  // Before its pages: those of an ended job are complete.
  const { job_id: jobId, status } = await ownJob(sql, request, response);
  const ended = isFinal(status);
  const { pages, last, more } = await listPagesAsStored(sql, jobId, after, limit, ended);
  sendPages(response, pages, more || !ended ? encodeStoredCursor(last) : null);
}

function wantsNdjson(request: ApiRequest, format: 'json' | 'ndjson' | undefined): boolean {
  if (format) return format === 'ndjson';
  return request.headers.accept !== undefined && request.accepts(['application/json', NDJSON]) === NDJSON;
}

async function* pagesBehind(
  sql: Sql,
  jobId: string,
  { after, limit, fields }: { after: number; limit: number; fields: readonly string[] | undefined },
): AsyncGenerator<string> {
  let cursor: number | null = after;
  let left = limit;
  while (cursor !== null && left > 0) {
    const read: { pages: PageText[]; next: number | null } = await listPages(
      sql,
      jobId,
      cursor,
      Math.min(left, DEFAULT_LIMIT),
      fields,
    );
    for (const { json } of read.pages) yield `${json}\n`;
    left -= read.pages.length;
    cursor = read.next;
  }
}

/** Types a browser may display; anything else is a download. */
const INLINE = /^(image\/(png|jpeg|webp)|application\/pdf)$/;

/** `GET /jobs/{id}/artifacts/{position}/{name}`: a screenshot or PDF. */
export const showArtifact =
  (sql: Sql, store: ArtifactStore | undefined): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const job = await ownJob(sql, request, response);
    const position = Number(pathParameter(request, 'position'));
    const name = pathParameter(request, 'name');
    const key = { jobId: job.job_id, position, name };
    const artifact = await findArtifact(sql, key.jobId, position, name);
    const body = artifact && (artifact.body ?? (await bodyOf(store, key)));
    if (!artifact || !body) throw notFound('there is no such artifact');
    response.writeHead(200, {
      ...answerHeaders(response),
      'content-type': artifact.contentType,
      'content-length': body.length,
      'content-disposition': `${INLINE.test(artifact.contentType) ? 'inline' : 'attachment'}; filename="${name}"`,
    });
    response.end(body);
  };

async function bodyOf(store: ArtifactStore | undefined, key: ArtifactKey): Promise<Buffer | null> {
  try {
    return store ? await store.get(key) : null;
  } catch (cause) {
    throw Object.assign(artifactsUnavailable(), { cause });
  }
}
