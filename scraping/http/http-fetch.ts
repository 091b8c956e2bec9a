import type { ErrorInfo } from '../../core/errors.ts';
import { DEFAULT_FORMATS, type JobCookie } from '../../core/jobs/job-schemas.ts';
import type { Artifact, Page } from '../../core/jobs/page.ts';
import { badSelector, httpStatusError, PageFailure, pageError } from '../../core/jobs/page-errors.ts';
import { framesMissing, pageWarning } from '../../core/jobs/page-warnings.ts';
import { authorizationFor } from '../../core/url-login.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import type { Extractor } from '../extraction/extractor.ts';
import { DEFAULT_FILE_LIMITS, type FileLimits } from '../extraction/files/limits.ts';
import { storable } from '../extraction/storable.ts';
import { Deadline } from '../fetching/deadline.ts';
import { isOwnOrigin } from '../fetching/own-origin.ts';
import type { ReadPage, ScrapedPage, ScrapeSpec } from '../fetching/page.ts';
import { type RedirectPermission, requireGranted } from '../politeness/permit.ts';
import { retryAfterMs } from '../politeness/retry-after.ts';
import { documentOf, isReadable, type ReadableDocument } from '../response/document.ts';
import { MAX_REFRESHES, refreshMarkup, refreshTarget } from '../response/refresh.ts';
import { decodeUnannouncedGzip } from './body.ts';
import type { HttpClient, HttpResponse } from './client.ts';
import { createCookies } from './cookies.ts';
import { type FetchedFrames, fetchFrames } from './http-frames.ts';

/** Fetches a job's pages by plain HTTP with one cookie jar per job; several pages at once. */
export interface HttpFetcher {
  fetch(url: string, options: HttpFetchOptions): Promise<FetchedPage>;
  close(): void;
}

export interface HttpFetchOptions {
  timeoutMs: number;
  /** How long the server may take; unset: all of `timeoutMs`. */
  answerMs?: number;
  permit?: RedirectPermission | undefined;
  /** Whether to follow the page's own refresh. False if a browser will load the page anyway. */
  followsRefreshes?: boolean;
  /** Added to the job's: those that the browser has. */
  cookies?: readonly JobCookie[];
}

/**
 * The response before extraction, which is expensive and unnecessary if a browser loads the page
 * instead.
 */
export type FetchedPage =
  | (AnsweredPage & Readable)
  | ({ kind: 'unreadable' } & Readable)
  | ({ kind: 'failed'; error: ErrorInfo } & Readable);

export interface AnsweredPage {
  kind: 'answered';
  /** After redirects. */
  url: string;
  status: number;
  headers: Readonly<Record<string, string>>;
  documentKind: ReadableDocument['kind'];
  html: string;
  /** The connection ended before the document did. */
  isCut?: boolean;
}

interface Readable {
  /** Extracts the page. Call at most once, at any time. */
  read(): Promise<ScrapedPage>;
}

export interface HttpFetchContext {
  signal: AbortSignal;
  http: HttpClient;
  extractor: Extractor;
  logger: Logger;
  /** Limit for a page's document, decoded. */
  maxPageBytes: number;
  /** Limits for a file, such as its pages. Default: those of `limits.ts`. */
  fileLimits?: FileLimits | undefined;
}

export function openHttpFetcher(spec: ScrapeSpec, context: HttpFetchContext): HttpFetcher {
  const jobCookies = createCookies(spec.cookies, spec.urls);
  const proxies = [spec.proxy ?? []].flat();
  const own = proxies.length > 0 ? context.http.through(proxies) : undefined;
  const http = own ?? context.http;
  const crossOriginHeaders: Record<string, string> = spec.locale
    ? { 'accept-language': languages(spec.locale) }
    : {};
  const headers = { ...crossOriginHeaders, ...spec.headers };
  const formats = spec.formats ?? DEFAULT_FORMATS;

  return {
    async fetch(url, { timeoutMs, answerMs = timeoutMs, permit, followsRefreshes = true, cookies: others }) {
      const startedAt = Date.now();
      const cookies = others ? createCookies([...(spec.cookies ?? []), ...others], spec.urls) : jobCookies;
      let pauseMs: number | null = null;
      /** The page that redirected, for the case that its target fails. */
      let reached: Partial<Page> = {};
      const page = (fields: Partial<ReadPage>, artifacts: Artifact[] = []): ScrapedPage => ({
        page: { ...blankPage(url, startedAt), ...fields, duration_ms: Date.now() - startedAt },
        artifacts,
        retryAfterMs: pauseMs,
      });
      try {
        const ask = async (address: string) => {
          const response = await http.get(address, {
            signal: context.signal,
            timeoutMs: Math.max(1, answerMs - (Date.now() - startedAt)),
            maxBytes: context.maxPageBytes,
            // As for redirects: the headers may hold a key.
            headers: isOwnOrigin(address, url) ? headers : crossOriginHeaders,
            authorization: (requested) => authorizationFor(spec.logins, requested, url),
            cookies,
            wantsBody: isReadable,
            acceptsCut: true,
            permit,
          });
          pauseMs = retryAfterMs(response.status, response.headers);
          return await documentIn(response);
        };
        let { response, document } = await ask(url);
        for (let refreshes = 1; ; refreshes += 1) {
          const next = followsRefreshes ? nextAddress(response, document) : null;
          if (next === null) break;
          if (refreshes > MAX_REFRESHES) throw new PageFailure('too_many_redirects');
          reached = answerOf(response);
          if (permit) requireGranted(await permit.follow(next));
          ({ response, document } = await ask(next));
        }
        const answer = answerOf(response);
        if (!document) {
          const error = httpStatusError(response.status) ?? pageError('unsupported_content');
          return { kind: 'unreadable', read: async () => page({ ...answer, error }) };
        }
        return {
          kind: 'answered',
          url: response.url,
          status: response.status,
          headers: response.headers,
          documentKind: document.kind,
          html: document.kind === 'html' ? document.source : '',
          isCut: response.cut !== undefined,
          read: async () => {
            const leftMs = () => Math.max(MIN_READING_MS, timeoutMs - (Date.now() - startedAt));
            const framed = await readFrames(document, response, { url, leftMs: leftMs(), cookies, permit });
            const content = await read(document, response, leftMs(), framed);
            return page({ ...answer, ...content }, artifactsOf(document));
          },
        };
      } catch (error) {
        context.signal.throwIfAborted();
        if (!(error instanceof PageFailure)) throw error;
        context.logger.debug('page_failed', { code: error.code, cause: error });
        return {
          kind: 'failed',
          error: error.info,
          read: async () => page({ ...reached, error: error.info }),
        };
      }
    },
    close: () => void own?.stop(),
  };

  /** The format `pdf` of a PDF is the file itself. */
  function artifactsOf(document: ReadableDocument): Artifact[] {
    if (document.kind !== 'file' || document.file.kind !== 'pdf') return [];
    if (!(formats as readonly string[]).includes('pdf')) return [];
    return [{ kind: 'pdf', contentType: 'application/pdf', body: Buffer.from(document.file.bytes) }];
  }

  async function documentIn(response: HttpResponse): Promise<Answered> {
    if (!isReadable(response)) return { response, document: null };
    const body = await decodeUnannouncedGzip(response.body, context.maxPageBytes);
    const plain = body === response.body ? response : { ...response, body };
    return { response: plain, document: documentOf(plain) };
  }

  /** The documents of frames are fetched as the page is: guard, robots.txt, cookies. */
  function readFrames(
    document: ReadableDocument,
    { url: pageUrl, status }: HttpResponse,
    { url, leftMs, cookies, permit }: FrameOptions,
  ): Promise<FetchedFrames> {
    if (document.kind !== 'html' || status >= 400) return Promise.resolve({ frames: [], missing: 0 });
    const until = Date.now() + leftMs * 0.7;
    const fetchFrame = async (address: string) => {
      try {
        if (permit) requireGranted(await permit.follow(address));
        const response = await http.get(address, {
          signal: context.signal,
          timeoutMs: Math.max(1, until - Date.now()),
          maxBytes: context.maxPageBytes,
          // As for the page: the headers may hold a key.
          headers: isOwnOrigin(address, url) ? headers : crossOriginHeaders,
          cookies,
          wantsBody: isReadable,
          permit,
        });
        const frame = await documentIn(response);
        const { document: shown } = frame;
        if (!shown || shown.kind === 'file' || !isOwnOrigin(response.url, pageUrl)) return null;
        return { url: response.url, html: shown.html };
      } catch (error) {
        context.signal.throwIfAborted();
        if (!(error instanceof PageFailure)) throw error;
        context.logger.debug('frame_failed', { code: error.code, cause: error });
        return null;
      }
    };
    return fetchFrames({ html: document.source, url: pageUrl }, context.maxPageBytes, fetchFrame);
  }

  async function read(
    document: ReadableDocument,
    response: HttpResponse,
    leftMs: number,
    { frames, missing }: FetchedFrames,
  ): Promise<Partial<ReadPage>> {
    const deadline = new Deadline(leftMs, context.signal, () => new PageFailure('page_timeout'));
    const error = httpStatusError(response.status) ?? missingPart(response);
    try {
      const { url } = response;
      const { charset } = document;
      const wanted = {
        ...{ url, charset, formats, mainContent: spec.main_content ?? true, fields: spec.extract ?? {} },
        likeness: spec.likeness ?? false,
      };
      const { title, extracted, badFields, fault, isEmpty, ...content } = await context.extractor.extract(
        document.kind === 'file'
          ? { ...wanted, file: document.file, limits: context.fileLimits ?? DEFAULT_FILE_LIMITS }
          : { ...wanted, html: document.source, kind: document.sourceKind, title: null, frames },
        deadline.signal,
      );
      const warnings = [
        ...(missing > 0 ? [framesMissing(missing)] : []),
        ...(isEmpty ? [pageWarning('no_text')] : []),
      ];
      return {
        title: title || null,
        ...content,
        ...(warnings.length > 0 ? { warnings } : {}),
        ...(extracted && Object.keys(extracted).length > 0 ? { extracted } : {}),
        error: error ?? fault ?? (badFields && badFields.length > 0 ? badSelector(badFields) : null),
      };
    } catch (failure) {
      context.signal.throwIfAborted();
      if (!(failure instanceof PageFailure)) throw failure;
      // What cannot be read because it is cut off, or an error page, says so.
      return { error: error ?? failure.info };
    } finally {
      deadline.dispose();
    }
  }
}

/** Of the page whose frames are fetched. */
interface FrameOptions {
  /** As asked for: the user's headers are for its origin. */
  url: string;
  leftMs: number;
  cookies: ReturnType<typeof createCookies>;
  permit: RedirectPermission | undefined;
}

/** The error of a truncated page, or of a 304 without a conditional request: browsers fail too. */
const missingPart = ({ status, cut }: HttpResponse): ErrorInfo | null =>
  cut?.info ?? (status === 304 ? pageError('connection_failed') : null);

interface Answered {
  response: HttpResponse;
  /** Null if it cannot be extracted. */
  document: ReadableDocument | null;
}

/**
 * The target of the page's own refresh. Error pages are not followed: their status is the result.
 */
function nextAddress(
  { status, url, headers }: HttpResponse,
  document: ReadableDocument | null,
): string | null {
  if (status >= 400) return null;
  const markup = document?.kind === 'html' ? refreshMarkup(document.source) : null;
  return refreshTarget({ url, header: headers.refresh, markup });
}

/** A page that arrived late still gets this long for extraction. */
const MIN_READING_MS = 1000;

/** `Accept-Language` for a locale as browsers send it: `de-AT,de;q=0.9`. */
const languages = (locale: string): string => {
  const [language] = locale.split('-');
  return language === locale ? locale : `${locale},${language};q=0.9`;
};

const blankPage = (url: string, startedAt: number): Page => ({
  url,
  final_url: null,
  status_code: null,
  content_type: null,
  title: null,
  engine: 'http',
  fetched_at: new Date(startedAt).toISOString(),
  duration_ms: 0,
  error: null,
});

const answerOf = (response: HttpResponse): Partial<Page> => ({
  final_url: response.url,
  status_code: response.status,
  content_type: storable(response.contentType),
});
