import { toString as qrText } from 'qrcode';
import { generateCode } from '../../core/links/link.ts';
import {
  changeLinkRequest,
  createLinkRequest,
  listLinksQuery,
  qrQuery,
} from '../../core/links/link-schemas.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { findJob } from '../../db/jobs/read.ts';
import { changeLink, createLink, deleteLink, findLink, type Link, listLinks } from '../../db/links/links.ts';
import { createOnce } from '../http/create-once.ts';
import { decodeJobCursor, encodeJobCursor } from '../http/cursor.ts';
import { conflict, invalidRequest, notFound } from '../http/problem.ts';
import {
  type ApiRequest,
  type ApiResponse,
  answerHeaders,
  type Handler,
  pathParameter,
  sendJson,
  sendNoContent,
} from '../http/route.ts';
import { readBody, readQuery, requireNoQuery } from '../http/validation.ts';
import type { ValidateTarget } from './link-target.ts';
import { qrPng } from './qr-png.ts';
import type { LinkCache } from './redirect/link-cache.ts';

export interface LinkRoutes {
  sql: Sql;
  linkCache: Pick<LinkCache, 'forget'>;
  validateTarget: ValidateTarget;
  publicUrl: string;
}

const DAY_MS = 24 * 3600_000;
/** A shared result is open to anyone with its code, so it always expires. */
const SHARE_DAYS = 7;
const MAX_SHARE_DAYS = 90;
/** A generated code is almost never taken already. */
const TRIES = 5;

/** `POST /links`. */
export const addLink = ({
  database,
  linkCache,
  validateTarget,
  publicUrl,
}: LinkRoutes & { database: Database }): Handler =>
  createOnce(database, createLinkRequest, async (sql, body, response) => {
    const { caller, requestId } = response.locals;
    const { share } = body;
    const expiresAt = expiryOf(body.expires_at, share);
    if (body.url !== undefined) requireValidTarget(validateTarget, body.url);
    if (body.job_id !== undefined && !(await findJob(sql, caller.userId, body.job_id))) {
      throw invalidRequest([{ path: 'job_id', message: 'there is no such job' }]);
    }
    for (let left = body.code === undefined ? TRIES : 1; left > 0; left -= 1) {
      const code = body.code ?? generateCode(share);
      const link = await createLink(sql, {
        ...{ code, share, expiresAt },
        userId: caller.userId,
        // As browsers serialize it: ASCII, as a header requires.
        url: body.url === undefined ? `/share/${code}` : new URL(body.url).href,
        jobId: body.job_id ?? null,
        leadId: body.lead_id ?? null,
        correlationId: requestId,
      });
      if (!link) continue;
      return {
        body: toResponse(link, publicUrl),
        location: `/api/v1/links/${code}`,
        onCommit: () => linkCache.forget(code),
      };
    }
    throw conflict('code_taken', 'there is a link with this code, or was until a short while ago');
  });

/** `GET /links`: the caller's own, newest first. */
export const listOwnLinks =
  ({ sql, publicUrl }: LinkRoutes): Handler =>
  async (request, response) => {
    const { job_id: jobId, limit, cursor } = readQuery(request, listLinksQuery);
    const after = decodeJobCursor(cursor);
    const { userId } = response.locals.caller;
    const { links, next } = await listLinks(sql, { userId, jobId: jobId ?? null, limit, after });
    sendJson(response, 200, {
      links: links.map((link) => toResponse(link, publicUrl)),
      next_cursor: next && encodeJobCursor(next),
    });
  };

/** `GET /links/{code}`. */
export const showLink =
  ({ sql, publicUrl }: LinkRoutes): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    sendJson(response, 200, toResponse(await ownLink(sql, request, response), publicUrl));
  };

/** `PATCH /links/{code}`. */
export const editLink =
  ({ sql, linkCache, validateTarget, publicUrl }: LinkRoutes): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const body = await readBody(request, changeLinkRequest);
    const { code, share } = await ownLink(sql, request, response);
    if (body.url !== undefined) {
      if (share)
        throw invalidRequest([{ path: 'url', message: 'expected none: a shared result has its own' }]);
      requireValidTarget(validateTarget, body.url);
    }
    const link = await changeLink(sql, {
      code,
      userId: response.locals.caller.userId,
      url: body.url === undefined ? undefined : new URL(body.url).href,
      expiresAt: body.expires_at === undefined ? undefined : expiryOf(body.expires_at, share),
      correlationId: response.locals.requestId,
    });
    if (!link) throw noSuchLink();
    linkCache.forget(code);
    sendJson(response, 200, toResponse(link, publicUrl));
  };

/** `DELETE /links/{code}`. */
export const removeLink =
  ({ sql, linkCache }: LinkRoutes): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const code = pathParameter(request, 'code');
    const { caller, requestId: correlationId } = response.locals;
    if (!(await deleteLink(sql, { code, userId: caller.userId, correlationId }))) throw noSuchLink();
    linkCache.forget(code);
    sendNoContent(response);
  };

/** `GET /links/{code}/qr`: a QR code of the short link. */
export const showQr =
  ({ sql, publicUrl }: LinkRoutes): Handler =>
  async (request, response) => {
    const { format, size } = readQuery(request, qrQuery);
    const { code } = await ownLink(sql, request, response);
    const text = shortUrl(publicUrl, code);
    const body =
      format === 'png'
        ? await qrPng(text, size)
        : Buffer.from(await qrText(text, { type: 'svg', width: size }));
    response.writeHead(200, {
      ...answerHeaders(response),
      'content-type': format === 'png' ? 'image/png' : 'image/svg+xml',
      'content-length': body.length,
    });
    response.end(body);
  };

export async function ownLink(sql: Sql, request: ApiRequest, response: ApiResponse): Promise<Link> {
  const link = await findLink(sql, response.locals.caller.userId, pathParameter(request, 'code'));
  if (!link) throw noSuchLink();
  return link;
}

const noSuchLink = () => notFound('there is no such link');

function requireValidTarget(validateTarget: ValidateTarget, url: string): void {
  const problem = validateTarget(url);
  if (problem) throw invalidRequest([{ path: 'url', message: problem }]);
}

/** ISO 8601; null: the link never expires. */
function expiryOf(given: string | null | undefined, share: boolean): string | null {
  const now = Date.now();
  const wrong = (message: string) => invalidRequest([{ path: 'expires_at', message }]);
  if (given && Date.parse(given) <= now) throw wrong('expected a moment in the future');
  if (!share) return given ?? null;
  if (given && Date.parse(given) > now + MAX_SHARE_DAYS * DAY_MS) {
    throw wrong(
      `expected a moment within ${MAX_SHARE_DAYS} days: a shared result is open to anyone with its code`,
    );
  }
  return given ?? new Date(now + SHARE_DAYS * DAY_MS).toISOString();
}

const shortUrl = (publicUrl: string, code: string): string => `${publicUrl}/r/${code}`;

const toResponse = (link: Link, publicUrl: string) => ({
  link_id: link.id,
  code: link.code,
  short_url: shortUrl(publicUrl, link.code),
  preview_url: `${shortUrl(publicUrl, link.code)}+`,
  url: link.share ? `${publicUrl}${link.url}` : link.url,
  share: link.share,
  job_id: link.job_id,
  lead_id: link.lead_id,
  created_at: link.created_at,
  updated_at: link.updated_at,
  expires_at: link.expires_at,
});
