import type { ErrorInfo } from '../../core/errors.ts';
import { httpStatusError, type PageErrorCode, PageFailure } from '../../core/jobs/page-errors.ts';
import type { Deadline } from '../fetching/deadline.ts';
import { type RedirectPermission, requireGranted } from '../politeness/permit.ts';
import { retryAfterMs } from '../politeness/retry-after.ts';
import { effectiveContentType, isDownload, isUnsupported } from '../response/content-type.ts';
import { navigationError } from './navigation-error.ts';
import type { Tab } from './tab.ts';

/** What is known of the document in the main frame; null until something answered. */
export interface Answer {
  url: string;
  status: number;
  contentType: string | null;
  /** The header `Refresh`: where the page is to go on to by itself. */
  refresh: string | null;
  /** How long the server asks to be left alone; null where it does not. */
  retryAfterMs: number | null;
}

/** Follows the main frame's document through the browser's network events. One for a page, from before it navigates. */
export class DocumentWatch {
  isDownload = false;
  /** Of the newest document, redirects included: the host a failure is about. */
  requestedUrl: string;
  readonly #sentTo: string;
  readonly #answers = new Map<string, Answer>();
  /** Of the newest document asked for, which may turn out to be a download, or fail. */
  #documentId = '';
  /** Of the document the tab shows. */
  #shownId: string | null = null;
  #documentBytes = 0;
  /** Of its answer so far, on the wire. */
  #headBytes = 0;
  #encoding = '';
  #totalBytes = 0;
  #complete = false;
  #failed: string | null = null;
  readonly #underWay = new Set<string>();
  /** Why it was not let go on to where it wanted to last. */
  #stopped: PageFailure | null = null;
  /** Whether it may go on to somewhere. */
  readonly #deciding = new Set<Promise<boolean>>();

  readonly #permit: RedirectPermission | undefined;
  readonly #deadline: Deadline;

  /** @param options.deadline ended while bytes still come in, if they are more than `maxBytes` */
  constructor(
    private readonly tab: Tab,
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
      // The script of a worker is asked for here, but nobody tells here that it has come.
      const isWorkers = type === 'Script' && initiator.type === 'other';
      if (type === 'XHR' || type === 'Fetch' || (type === 'Script' && !isWorkers))
        this.#underWay.add(requestId);
      if (type !== 'Document' || frameId !== mainFrameId) return;
      this.#documentId = requestId;
      this.#documentBytes = 0;
      this.#complete = false;
      this.#failed = null;
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
      if (frame.id === mainFrameId) this.#shownId = frame.loaderId;
    });
    listen('Network.dataReceived', ({ requestId, dataLength }) => {
      // Decoded bytes: a small compressed answer can be a very large page. The proxy sees to what comes over the wire.
      if (requestId === this.#documentId) this.#documentBytes += dataLength;
      this.#totalBytes += dataLength;
      if (tooLarge || (this.#documentBytes <= maxBytes && this.#totalBytes <= 5 * maxBytes)) return;
      tooLarge = true;
      onTooLarge();
    });
    // The proxy says it at once; the browser only when the page's own thread, busy with what it got, comes to it.
    tab.egress.onTooLarge = () => {
      const isDocuments = tab.egress.failureOf(this.requestedUrl) === 'page_too_large';
      if (isDocuments && !this.#complete) onTooLarge();
    };
    listen('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      this.#underWay.delete(requestId);
      if (requestId !== this.#documentId) return;
      this.#complete = true;
      // To the browser that is an empty page.
      const isEmpty = this.#documentBytes === 0 && encodedDataLength > this.#headBytes;
      if (isEmpty && isCutGzip(this.#encoding, encodedDataLength - this.#headBytes))
        this.#failed = 'net::ERR_CONTENT_DECODING_FAILED';
    });
    listen('Network.loadingFailed', ({ requestId, errorText }) => {
      this.#underWay.delete(requestId);
      if (requestId === this.#documentId) this.#failed = errorText;
    });
    tab.onDownload((download) => {
      this.isDownload = true;
      void download.cancel().catch(() => {});
    });
  }

  /** Of the document the tab shows. */
  get answer(): Answer | null {
    return this.#answers.get(this.#shownId ?? this.#documentId) ?? null;
  }

  /** Of the newest document asked for. */
  get newestAnswer(): Answer | null {
    return this.#answers.get(this.#documentId) ?? null;
  }

  /** The document the tab shows as it came, decoded; null where the browser no longer has it. */
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

  /** Of scripts and what scripts ask for, and the wish to go elsewhere that is not granted yet. */
  requestsUnderWay(): number {
    return this.#underWay.size + this.#deciding.size;
  }

  /** Whether the tab may show a document, by whatever way the page goes there. Its first address is granted already. */
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

  /** What is wrong with a page that is there. */
  error(): ErrorInfo | null {
    return (
      this.#stopped?.info ?? httpStatusError(this.answer?.status ?? 200) ?? this.#cutShort()?.info ?? null
    );
  }

  /** The connection ended in the middle of what the tab shows. A page that stops its own loading (ERR_ABORTED) means to. */
  #cutShort(): PageFailure | null {
    if (this.#documentId !== this.#shownId || this.#failed === null || /ERR_ABORTED/.test(this.#failed))
      return null;
    return this.failure();
  }

  failure(): PageFailure | null {
    if (this.#failed === null) return null;
    return new PageFailure(navigationError(this.#failed, this.tab.egress.failureOf(this.requestedUrl)));
  }

  /** @throws PageFailure when what the tab shows is the browser's own error page, or a document cut short */
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

/** Nothing at all takes gzip 20 bytes, and a few more where they come in chunks: of another length, something was cut off. */
const isCutGzip = (encoding: string, bytes: number) =>
  /^(x-)?gzip$/i.test(encoding) && (bytes < 20 || bytes > 40);

const withoutFragment = (url: string) => (URL.canParse(url) ? new URL(url).href.replace(/#.*$/s, '') : url);

function header(headers: Record<string, string>, name: string): string | null {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  return found ? found[1] : null;
}
