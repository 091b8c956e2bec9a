import type { ErrorInfo } from '../../core/errors.ts';
import { DEFAULT_FORMATS } from '../../core/jobs/job-schemas.ts';
import type { Page } from '../../core/jobs/page.ts';
import { badSelector, httpStatusError, PageFailure, pageError } from '../../core/jobs/page-errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Extractor } from '../extraction/extractor.ts';
import { storable } from '../extraction/storable.ts';
import { Deadline } from '../fetching/deadline.ts';
import type { ScrapedPage, ScrapeSpec } from '../fetching/page.ts';
import type { RedirectPermission } from '../politeness/permit.ts';
import { retryAfterMs } from '../politeness/retry-after.ts';
import type { HttpClient, HttpResponse } from './client.ts';
import { createCookies } from './cookies.ts';
import { documentOf, isReadable, type ReadableDocument } from './document.ts';

/** Plain HTTP's way to pages: one jar of cookies for all of a job's. Several pages may be on their way at once. */
export interface Fetching {
  fetch(url: string, options: FetchOptions): Promise<FetchedPage>;
  close(): void;
}

export interface FetchOptions {
  timeoutMs: number;
  /** How long the server may take, of the page's `timeoutMs`; unset: all of it. */
  answerMs?: number;
  permit?: RedirectPermission | undefined;
}

/** What came, before it is read for what the user wants of it: that costs the most, and a browser may have to come first. */
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
  /** Its connection ended in the middle of it. */
  isCut?: boolean;
}

interface Readable {
  /** The page as its user gets it. May be called later or never, once. */
  read(): Promise<ScrapedPage>;
}

export interface HttpFetchContext {
  signal: AbortSignal;
  http: HttpClient;
  extractor: Extractor;
  logger: Logger;
  /** Of a page's document, decoded. */
  maxPageBytes: number;
}

export function openFetching(spec: ScrapeSpec, context: HttpFetchContext): Fetching {
  const cookies = createCookies(spec.cookies, spec.urls);
  const proxies = [spec.proxy ?? []].flat();
  const own = proxies.length > 0 ? context.http.through(proxies) : undefined;
  const http = own ?? context.http;
  const headers = { ...(spec.locale ? { 'accept-language': languages(spec.locale) } : {}), ...spec.headers };
  const formats = spec.formats ?? DEFAULT_FORMATS;

  return {
    async fetch(url, { timeoutMs, answerMs = timeoutMs, permit }) {
      const startedAt = Date.now();
      let pauseMs: number | null = null;
      const page = (fields: Partial<Page>): ScrapedPage => ({
        page: { ...blankPage(url, startedAt), ...fields, duration_ms: Date.now() - startedAt },
        artifacts: [],
        retryAfterMs: pauseMs,
      });
      try {
        const response = await http.get(url, {
          signal: context.signal,
          timeoutMs: answerMs,
          maxBytes: context.maxPageBytes,
          headers,
          cookies,
          wantsBody: isReadable,
          acceptsCut: true,
          permit,
        });
        pauseMs = retryAfterMs(response.status, response.headers);
        const answer = answerOf(response);
        const document = isReadable(response) ? documentOf(response) : null;
        if (!document) {
          const error = pageError('unsupported_content');
          return { kind: 'unreadable', read: async () => page({ ...answer, error }) };
        }
        return {
          kind: 'answered',
          url: response.url,
          status: response.status,
          headers: response.headers,
          documentKind: document.kind,
          html: document.html,
          isCut: response.cut !== undefined,
          read: async () => {
            const leftMs = Math.max(MIN_READING_MS, timeoutMs - (Date.now() - startedAt));
            return page({ ...answer, ...(await read(document, response, leftMs)) });
          },
        };
      } catch (error) {
        context.signal.throwIfAborted();
        if (!(error instanceof PageFailure)) throw error;
        context.logger.debug('page_failed', { code: error.code, cause: error });
        return { kind: 'failed', error: error.info, read: async () => page({ error: error.info }) };
      }
    },
    close: () => void own?.stop(),
  };

  async function read(
    document: ReadableDocument,
    response: HttpResponse,
    leftMs: number,
  ): Promise<Partial<Page>> {
    const deadline = new Deadline(leftMs, context.signal, () => new PageFailure('page_timeout'));
    const error = httpStatusError(response.status) ?? missingPart(response);
    try {
      const { title, extracted, badFields, ...content } = await context.extractor.extract(
        {
          html: document.html,
          url: response.url,
          title: null,
          charset: document.charset,
          formats,
          mainContent: spec.main_content ?? true,
          fields: spec.extract ?? {},
        },
        deadline.signal,
      );
      if (content.raw_html !== undefined) content.raw_html = storable(document.source);
      return {
        title: title || null,
        ...content,
        ...(extracted && Object.keys(extracted).length > 0 ? { extracted } : {}),
        error: error ?? (badFields && badFields.length > 0 ? badSelector(badFields) : null),
      };
    } catch (failure) {
      context.signal.throwIfAborted();
      if (!(failure instanceof PageFailure)) throw failure;
      return { error: failure.info };
    } finally {
      deadline.dispose();
    }
  }
}

/** A page that is not all there; so is a 304, for which nobody asked: a browser has no page then either. */
const missingPart = ({ status, cut }: HttpResponse): ErrorInfo | null =>
  cut?.info ?? (status === 304 ? pageError('connection_failed') : null);

/** However late its answer came, a page that is here is read. */
const MIN_READING_MS = 1000;

/** `de-AT` as browsers ask for it: the language of anywhere before any other. */
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
