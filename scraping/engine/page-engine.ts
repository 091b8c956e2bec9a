import type { Logger } from '../../runtime/log/logger.ts';
import { type BrowserPage, openBrowserFetcher } from '../browser/browser-fetch.ts';
import type { BrowserPool } from '../browser/pool.ts';
import type { ScrapedPage, ScrapeSpec } from '../fetching/page.ts';
import type { HttpClient } from '../http/client.ts';
import { type FetchedPage, openHttpFetcher } from '../http/http-fetch.ts';
import type { RedirectPermission } from '../politeness/permit.ts';
import { htmlSignals } from '../response/html-signals.ts';
import { type BrowserReason, browserAddedContent, knownEngine, needsBrowser } from './engine-selector.ts';
import type { RenderingTypeCache } from './rendering-type-cache.ts';

/**
 * Scrapes the URLs of one job, in whichever engine suits each:
 *
 *     const scraping = openPageEngine(spec, context);
 *     try { for (const url of spec.urls) save(await scraping.scrape(url)); } finally { await scraping.close(); }
 *
 * Whatever goes wrong with a page is in its `error`, and `pageErrorConsequence` says whether another attempt could help.
 * `scrape` rejects for two reasons only: the signal fired (with its reason, at once), or this program has a bug.
 */
export interface PageEngine {
  /** @param permit asked before the page goes on to another address; without it, the page may go anywhere */
  scrape(url: string, permit?: RedirectPermission): Promise<ScrapedPage>;
  /** How many pages of the job may usefully be under engine at once; what is beyond waits its turn. */
  readonly concurrency: number;
  close(): Promise<void>;
}

export interface PageEngineContext {
  signal: AbortSignal;
  browser: BrowserPool;
  http: HttpClient;
  renderingTypes: RenderingTypeCache;
  logger: Logger;
  /** For a page from its first request to its content; `spec.timeout_ms` goes before it. */
  pageTimeoutMs: number;
  /** Of a page's document, decoded, and of its HTML once renderedHtml. */
  maxPageBytes: number;
  /** Pages of the job in the browser at once, in one context. Default 3. */
  tabs?: number;
  /** No other is asked for: its browser context ends with the page, without waiting for `close`. */
  isOnlyPage?: boolean;
}

/** Of one job on the engine by plain HTTP: while one waits for its server, another is read. */
const HTTP_PAGES_AT_ONCE = 4;
/** In the browser, where the page itself is most of the work: more tabs than cores gain little, and take memory. */
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
      if (engine === 'browser') return scraped(await browserFetcher.fetch(url, { timeoutMs, permit }));
      if (engine === 'http') return (await httpFetcher.fetch(url, { timeoutMs, permit })).read();
      return await scrapeEitherWay(url, permit);
    },
    close: async () => {
      httpFetcher.close();
      await browserFetcher.close();
    },
  };

  /** HTTP first, unless the host is known to need a browser; and the browser where what came shows that it is needed. */
  async function scrapeEitherWay(url: string, permit: RedirectPermission | undefined): Promise<ScrapedPage> {
    const { host } = new URL(url);
    const remembered = knownEngine(await context.renderingTypes.get(host));
    if (remembered === 'browser') return scraped(await browserFetcher.fetch(url, { timeoutMs, permit }));

    const startedAt = performance.now();
    // Some servers keep whoever is no browser waiting: there must be time left to be one.
    const fetched = await httpFetcher.fetch(url, {
      ...{ timeoutMs, answerMs: timeoutMs / 2, permit },
      followsRefreshes: false,
    });
    const reason = needsBrowser(fetched);
    if (reason === null || (reason.isGuess && remembered === 'http')) {
      if (reason === null && fetched.kind === 'answered')
        await context.renderingTypes.recordHttpSufficient(host);
      return await fetched.read();
    }
    context.logger.debug('page_needs_browser', { host, reason: reason.why });
    const browserPage = await browserFetcher.fetch(url, { timeoutMs: leftMs(startedAt), permit });
    return await choose(url, fetched, reason, browserPage);
  }

  /** Half of a page's time at least, however long the server took to be of no use. */
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
    // A browser that failed where plain HTTP did not has nothing to add, unless it found that the page leads where nobody may go.
    const { error } = browserPage.page;
    // And unless what came by plain HTTP surely is not the page: a check before it, a page that leads on.
    const failed = error !== null && !DENIED_REDIRECT.has(error.code);
    const useFetched = failed && reason.isGuess && fetched.kind === 'answered' && fetched.status < 400;
    return useFetched ? await fetched.read() : scraped(browserPage);
  }
}

/** One page with a session of its own. */
export async function scrape(
  request: { url: string; spec: ScrapeSpec },
  context: PageEngineContext,
): Promise<ScrapedPage> {
  const scraping = openPageEngine(request.spec, { ...context, isOnlyPage: true });
  try {
    return await scraping.scrape(request.url);
  } finally {
    // Not awaited: it may take seconds to end a page that hangs, and the pool waits for it when it stops.
    void scraping.close();
  }
}

const DENIED_REDIRECT: ReadonlySet<string> = new Set(['robots_disallowed', 'robots_unreadable']);

/** What only a browser can do or be decides for it. */
function engineFor(spec: ScrapeSpec): 'http' | 'browser' | 'auto' {
  const { render = 'auto', actions = [], formats = [], viewport, timezone, mobile } = spec;
  if (render !== 'auto') return render;
  const isPictured = formats.includes('screenshot') || formats.includes('pdf');
  const isSomebody = Boolean(viewport || timezone || mobile);
  return isPictured || isSomebody || actions.length > 0 ? 'browser' : 'auto';
}

const scraped = ({ page, artifacts, retryAfterMs }: BrowserPage): ScrapedPage => ({
  page,
  artifacts,
  retryAfterMs,
});
