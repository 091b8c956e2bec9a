import type { ErrorInfo } from '../../core/errors.ts';
import { httpStatusError, type PageErrorCode, PageFailure } from '../../core/jobs/page-errors.ts';
import { parseUrl } from '../../core/parse-url.ts';
import type { Deadline } from '../fetching/deadline.ts';
import { type RedirectPermission, requireGranted } from '../politeness/permit.ts';
import { retryAfterMs } from '../politeness/retry-after.ts';
import { effectiveContentType, isDownload, isUnsupported } from '../response/content-type.ts';
import { navigationError } from './navigation-error.ts';
import type { Tab } from './tab.ts';

/** The response of a main-frame document. */
export interface Answer {
  url: string;
  status: number;
  contentType: string | null;
  /** Header `Refresh`: the URL the page redirects itself to. */
  refresh: string | null;
  /** Pause requested by `Retry-After`, in milliseconds; null if there is none. */
  retryAfterMs: number | null;
}

/**
 * Follows the main frame's document through CDP network events. One per page; create before
 * navigating.
 */
export class DocumentWatch {
  isDownload = false;
  /** The page has next to no text, and its scripts wait for data. */
  isStillLoading = false;
  /** Navigations of the main frame so far, redirects included. */
  documentsRequested = 0;
  /** URL of the newest document, after redirects: a failure is about its host. */
  requestedUrl: string;
  readonly #sentTo: string;
  readonly #answers = new Map<string, Answer>();
  /** Request id of the newest document, which may turn out to be a download, or fail. */
  #documentId = '';
  /** Request id of the current document. */
  #shownId: string | null = null;
  #documentBytes = 0;
  /** Encoded bytes of its response head. */
  #headBytes = 0;
  #encoding = '';
  #totalBytes = 0;
  #complete = false;
  #failed: string | null = null;
  readonly #underWay = new Set<string>();
  /** The newest document is requested and not answered yet. */
  #isUnanswered = false;
  /** Why the last navigation was denied. */
  #stopped: PageFailure | null = null;
  /** Pending permit decisions. */
  readonly #deciding = new Set<Promise<boolean>>();

  readonly #permit: RedirectPermission | undefined;
  readonly #deadline: Deadline;

  /** @param options.deadline ended with `page_too_large` once more than `maxBytes` have arrived */
  constructor(
    readonly tab: Tab,
    options: {
      url: string;
      maxBytes: number;
      permit: RedirectPermission | undefined;
      deadline: Deadline;
    },
  ) {
    const { url, maxBytes } = options;
    this.#permit = options.permit;
    this.#deadline = options.deadline;
    const onTooLarge = () => this.#deadline.end(new PageFailure('page_too_large'));
    this.requestedUrl = url;
    this.#sentTo = url;
    const { listen, mainFrameId } = tab;
    let tooLarge = false;
    listen('Network.requestWillBeSent', ({ requestId, frameId, type, request, initiator }) => {
      // A worker's script is requested in this session, but its end is not reported here.
      const isWorkers = type === 'Script' && initiator.type === 'other';
      if (type === 'XHR' || type === 'Fetch' || (type === 'Script' && !isWorkers))
        this.#underWay.add(requestId);
      if (type !== 'Document' || frameId !== mainFrameId) return;
      this.#documentId = requestId;
      this.#documentBytes = 0;
      this.#complete = false;
      this.#failed = null;
      this.#isUnanswered = true;
      this.documentsRequested += 1;
      this.requestedUrl = request.url;
    });
    listen('Network.responseReceived', ({ requestId, response }) => {
      if (requestId !== this.#documentId) return;
      const types = header(response.headers, 'content-type')?.split('\n') ?? [];
      const contentType = effectiveContentType(types) ?? (response.mimeType || null);
      const { url, status } = response;
      this.#headBytes = response.encodedDataLength;
      this.#encoding = header(response.headers, 'content-encoding') ?? '';
      const named = (name: string) => header(response.headers, name);
      const asked = { 'retry-after': named('retry-after'), date: named('date') };
      this.#answers.set(requestId, {
        ...{ url, status, contentType, refresh: named('refresh') },
        retryAfterMs: retryAfterMs(status, asked),
      });
      if (isDownload(named('content-disposition'))) this.isDownload = true;
    });
    listen('Page.frameNavigated', ({ frame }) => {
      if (frame.id !== mainFrameId) return;
      this.#shownId = frame.loaderId;
      if (frame.loaderId === this.#documentId) this.#isUnanswered = false;
    });
    listen('Network.dataReceived', ({ requestId, dataLength }) => {
      // Decoded bytes: a small compressed response can be a very large page. The proxy limits
      // encoded bytes.
      if (requestId === this.#documentId) this.#documentBytes += dataLength;
      this.#totalBytes += dataLength;
      if (tooLarge || (this.#documentBytes <= maxBytes && this.#totalBytes <= 5 * maxBytes)) return;
      tooLarge = true;
      onTooLarge();
    });
    // The proxy reports it at once; the browser only when the page's busy main thread gets to it.
    tab.egress.onTooLarge = () => {
      const isDocuments = tab.egress.failureOf(this.requestedUrl) === 'page_too_large';
      if (isDocuments && !this.#complete) onTooLarge();
    };
    listen('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      this.#underWay.delete(requestId);
      if (requestId !== this.#documentId) return;
      this.#complete = true;
      this.#isUnanswered = false;
      // Chromium shows a cut gzip body as an empty page.
      const isEmpty = this.#documentBytes === 0 && encodedDataLength > this.#headBytes;
      if (isEmpty && isCutGzip(this.#encoding, encodedDataLength - this.#headBytes))
        this.#failed = 'net::ERR_CONTENT_DECODING_FAILED';
    });
    listen('Network.loadingFailed', ({ requestId, errorText }) => {
      this.#underWay.delete(requestId);
      if (requestId !== this.#documentId) return;
      this.#failed = errorText;
      this.#isUnanswered = false;
    });
    tab.onDownload((download) => {
      this.isDownload = true;
      void download.cancel().catch(() => {});
    });
  }

  /** The current document's response. */
  get answer(): Answer | null {
    return this.#answers.get(this.#shownId ?? this.#documentId) ?? null;
  }

  /** The newest document's response. */
  get newestAnswer(): Answer | null {
    return this.#answers.get(this.#documentId) ?? null;
  }

  /** The current document's source, decoded; null if the browser no longer has it. */
  async source(): Promise<string | null> {
    if (this.#shownId === null) return null;
    try {
      const { body, base64Encoded } = await this.tab.cdp.send('Network.getResponseBody', {
        requestId: this.#shownId,
      });
      return base64Encoded ? Buffer.from(body, 'base64').toString() : body;
    } catch {
      return null;
    }
  }

  get stopped(): PageFailure | null {
    return this.#stopped;
  }

  /** Pending requests for or by scripts, and pending navigations. */
  requestsUnderWay(): number {
    return this.#underWay.size + this.#deciding.size;
  }

  /**
   * Waits until a navigation under way has shown its document, or ended without one; at most for
   * most of the page's time.
   */
  async documentSettled(deadline: Deadline): Promise<void> {
    const until = Date.now() + deadline.remainingMs() * 0.7;
    while ((this.#isUnanswered || this.#deciding.size > 0) && Date.now() < until) await deadline.sleep(20);
  }

  /** Whether the tab may navigate to this URL. The page's first URL is granted already. */
  async allows(url: string): Promise<boolean> {
    if (!this.#permit || withoutFragment(url) === withoutFragment(this.#sentTo)) return true;
    const decision = this.#decide(this.#permit, url);
    this.#deciding.add(decision);
    return decision.finally(() => this.#deciding.delete(decision));
  }

  async #decide(permit: RedirectPermission, url: string): Promise<boolean> {
    try {
      requireGranted(await this.#deadline.race(permit.follow(url)));
      this.#stopped = null;
      return true;
    } catch (error) {
      if (error instanceof PageFailure) this.#stopped = error;
      else this.#deadline.end(error);
      return false;
    }
  }

  /** The error of a page that loaded: navigation denied, HTTP status, or cut short. */
  error(): ErrorInfo | null {
    return (
      this.#stopped?.info ?? httpStatusError(this.answer?.status ?? 200) ?? this.#cutShort()?.info ?? null
    );
  }

  /**
   * The connection ended before the current document did. ERR_ABORTED: the page stopped itself, no
   * error.
   */
  #cutShort(): PageFailure | null {
    if (this.#documentId !== this.#shownId || this.#failed === null || /ERR_ABORTED/.test(this.#failed))
      return null;
    return this.failure();
  }

  failure(): PageFailure | null {
    if (this.#failed === null) return null;
    return new PageFailure(navigationError(this.#failed, this.tab.egress.failureOf(this.requestedUrl)));
  }

  /** @throws PageFailure if the tab shows the browser's error page, or no readable document */
  async assertDocument(deadline: Deadline): Promise<void> {
    if (this.#deciding.size > 0) await deadline.race(Promise.all(this.#deciding));
    const isErrorPage = this.tab.page.url().startsWith('chrome-error:');
    const failure = this.failure();
    if (failure && (isErrorPage || failure.code === 'page_too_large')) throw failure;
    if (isErrorPage) throw new PageFailure('connection_failed');
    if (isUnsupported(this.answer?.contentType)) throw this.notAPage();
  }

  /** For what is no page; an error of its server is one before that. */
  notAPage(cause?: unknown): PageFailure {
    const error = httpStatusError(this.newestAnswer?.status ?? 200);
    return new PageFailure((error?.code as PageErrorCode) ?? 'unsupported_content', error?.message, {
      cause,
    });
  }
}

/** An empty gzip body has 20 bytes, a few more if chunked: with any other length it was cut off. */
const isCutGzip = (encoding: string, bytes: number) =>
  /^(x-)?gzip$/i.test(encoding) && (bytes < 20 || bytes > 40);

const withoutFragment = (url: string) => parseUrl(url)?.href.replace(/#.*$/s, '') ?? url;

function header(headers: Record<string, string>, name: string): string | null {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  return found ? found[1] : null;
}
