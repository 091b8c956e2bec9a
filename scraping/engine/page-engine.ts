import type { ErrorInfo } from '../../core/errors.ts';
import type { Artifact } from '../../core/jobs/page.ts';
import { pageError } from '../../core/jobs/page-errors.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { type BrowserPage, openBrowserFetcher } from '../browser/browser-fetch.ts';
import type { BrowserPool } from '../browser/pool.ts';
import type { FileLimits } from '../extraction/files/limits.ts';
import type { ScrapedPage, ScrapeSpec } from '../fetching/page.ts';
import type { HttpClient } from '../http/client.ts';
import { type FetchedPage, openHttpFetcher } from '../http/http-fetch.ts';
import type { RedirectPermission } from '../politeness/permit.ts';
import { htmlSignals } from '../response/html-signals.ts';
import { type BrowserReason, browserAddedContent, knownEngine, needsBrowser } from './engine-selector.ts';
import type { RenderingTypeCache } from './rendering-type-cache.ts';

/**
 * Fetches and extracts the URLs of one job, each with the engine that suits it:
 *
 *     const engine = openPageEngine(spec, context);
 *     try { for (const url of spec.urls) save(await engine.scrape(url)); } finally { await engine.close(); }
 *
 * A page's failure is in its `error`; `pageErrorConsequence` tells whether a retry could help.
 * `scrape` rejects in two cases only: the signal fired (with its reason, at once), or a bug.
 */
export interface PageEngine {
  /**
   * @param permit checked before each redirect or navigation to another URL; unset: all are allowed
   */
  scrape(url: string, permit?: RedirectPermission): Promise<ScrapedPage>;
  /** How many pages of the job may run at once; more would wait for a slot. */
  readonly concurrency: number;
  close(): Promise<void>;
}

export interface PageEngineContext {
  signal: AbortSignal;
  browser: BrowserPool;
  http: HttpClient;
  renderingTypes: RenderingTypeCache;
  logger: Logger;
  /** Default time limit per page, from first request to content; `spec.timeout_ms` overrides it. */
  pageTimeoutMs: number;
  /** Limit for a page's document, decoded, and for its rendered HTML. */
  maxPageBytes: number;
  /** Limits for a file, such as its pages. */
  fileLimits?: FileLimits | undefined;
  /** Tabs per job, in one browser context. Default 3. */
  tabs?: number;
  /** The job has one page only: its browser context closes with the page, before `close`. */
  isOnlyPage?: boolean;
}

/** Pages of one job by plain HTTP: while one waits for its server, another is extracted. */
const HTTP_PAGES_AT_ONCE = 4;
/** Tabs of one job: rendering is CPU-bound, so more tabs than cores gain little and take memory. */
const BROWSER_PAGES_AT_ONCE = 3;

export function openPageEngine(spec: ScrapeSpec, context: PageEngineContext): PageEngine {
  const timeoutMs = spec.timeout_ms ?? context.pageTimeoutMs;
  const httpFetcher = openHttpFetcher(spec, { ...context, extractor: context.browser.extractor });
  const tabs = context.tabs ?? BROWSER_PAGES_AT_ONCE;
  const browserFetcher = openBrowserFetcher(spec, { ...context, tabs });
  const engine = engineFor(spec);

  return {
    concurrency: engine === 'browser' ? tabs : HTTP_PAGES_AT_ONCE,
    async scrape(url, permit) {
      if (engine === 'browser') return await scrapeInBrowser(url, permit);
      if (engine === 'http') return (await httpFetcher.fetch(url, { timeoutMs, permit })).read();
      return await scrapeWithEither(url, permit);
    },
    close: async () => {
      httpFetcher.close();
      await browserFetcher.close();
    },
  };

  /**
   * HTTP first, unless the host is known to need a browser; then the browser if the page shows the
   * need.
   */
  async function scrapeWithEither(url: string, permit: RedirectPermission | undefined): Promise<ScrapedPage> {
    const { host } = new URL(url);
    const known = knownEngine(await context.renderingTypes.get(host));
    if (known === 'browser') return await scrapeInBrowser(url, permit);

    const startedAt = performance.now();
    // Some servers stall clients that are not browsers: half of the time is left for the browser.
    const fetched = await httpFetcher.fetch(url, {
      ...{ timeoutMs, answerMs: timeoutMs / 2, permit },
      followsRefreshes: false,
    });
    const reason = needsBrowser(fetched);
    if (reason === null || (reason.isGuess && known === 'http')) {
      if (reason === null && fetched.kind === 'answered' && fetched.documentKind !== 'file')
        await context.renderingTypes.recordHttpSufficient(host);
      return await fetched.read();
    }
    context.logger.debug('page_needs_browser', { host, reason: reason.why });
    const browserPage = await browserFetcher.fetch(url, { timeoutMs: leftMs(startedAt), permit });
    if (browserPage.file) return await readFile(url, browserPage, permit);
    return await choose(url, fetched, reason, browserPage);
  }

  async function scrapeInBrowser(url: string, permit: RedirectPermission | undefined): Promise<ScrapedPage> {
    const startedAt = performance.now();
    const browserPage = await browserFetcher.fetch(url, { timeoutMs, permit });
    return browserPage.file ? await readFile(url, browserPage, permit, startedAt) : scraped(browserPage);
  }

  /** A file that the browser would only save is fetched by plain HTTP, with the browser's cookies. */
  async function readFile(
    url: string,
    browserPage: BrowserPage,
    permit: RedirectPermission | undefined,
    startedAt = performance.now(),
  ): Promise<ScrapedPage> {
    const { file } = browserPage;
    if (!file) return scraped(browserPage);
    const { cookies } = file;
    const options = { timeoutMs: leftMs(startedAt), permit, followsRefreshes: false, cookies };
    const { page, artifacts, retryAfterMs } = await (await httpFetcher.fetch(file.url, options)).read();
    const taken = [...browserPage.artifacts, ...artifacts];
    return {
      page: { ...page, url, error: page.error ?? leftUndone(spec, taken) },
      ...{ artifacts: taken, retryAfterMs },
    };
  }

  /** The time left for the browser, at least half of the page's limit. */
  function leftMs(startedAt: number): number {
    return Math.max(timeoutMs - (performance.now() - startedAt), timeoutMs / 2);
  }

  async function choose(
    url: string,
    fetched: FetchedPage,
    reason: BrowserReason,
    browserPage: BrowserPage,
  ): Promise<ScrapedPage> {
    const before = fetched.kind === 'answered' && fetched.status < 400 ? htmlSignals(fetched.html) : null;
    const after = browserPage.renderedHtml === null ? null : htmlSignals(browserPage.renderedHtml);
    const isBetter = browserAddedContent({ before, after, error: browserPage.page.error });
    if (reason.isHostWide) {
      const { host } = new URL(url);
      await context.renderingTypes.record(host, {
        engine: isBetter ? 'browser' : 'http',
        reason: reason.why,
      });
    }
    // If the browser failed and plain HTTP did not, the HTTP result is used; except for a denied
    // redirect,
    const { error } = browserPage.page;
    // or if the HTTP result is surely not the page: a bot check, a page that redirects itself.
    const failed = error !== null && !DENIED_REDIRECT.has(error.code);
    const useFetched = failed && reason.isGuess && fetched.kind === 'answered' && fetched.status < 400;
    return useFetched ? await fetched.read() : scraped(browserPage);
  }
}

/** What a job asked of a page that cannot be done with a file. */
function leftUndone(
  { actions = [], formats = [] }: ScrapeSpec,
  taken: readonly Artifact[],
): ErrorInfo | null {
  if (actions.length > 0)
    return pageError('action_failed', 'the address leads to a file: no action can be done on it');
  const missing = (['screenshot', 'pdf'] as const).filter(
    (format) => formats.includes(format) && !taken.some(({ kind }) => kind === format),
  );
  if (missing.length === 0) return null;
  return pageError(
    'unsupported_content',
    `a file of this kind has no ${missing.join(' and no ')}: its other formats are stored`,
  );
}

const DENIED_REDIRECT: ReadonlySet<string> = new Set(['robots_disallowed', 'robots_unreadable']);

/** Options that only a browser supports select it. */
function engineFor(spec: ScrapeSpec): 'http' | 'browser' | 'auto' {
  const { render = 'auto', actions = [], formats = [], viewport, timezone, mobile } = spec;
  if (render !== 'auto') return render;
  const isPictured = formats.includes('screenshot') || formats.includes('pdf');
  const hasIdentity = Boolean(viewport || timezone || mobile);
  return isPictured || hasIdentity || actions.length > 0 ? 'browser' : 'auto';
}

const scraped = ({ page, artifacts, retryAfterMs }: BrowserPage): ScrapedPage => ({
  page,
  artifacts,
  retryAfterMs,
});
