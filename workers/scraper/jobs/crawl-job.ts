import { setTimeout as delay, setImmediate as nextTick } from 'node:timers/promises';
import { ErrorCode, type ErrorInfo } from '../../../core/errors.ts';
import type { ClaimedJob } from '../../../core/jobs/job.ts';
import type { Outcome } from '../../../core/jobs/job-state.ts';
import type { Database } from '../../../db/connect.ts';
import { listStoredPages } from '../../../db/jobs/run.ts';
import { type CrawlStep, listCrawlUrls, storeCrawlStep, type VisitedUrl } from '../../../db/pages/crawl.ts';
import { retryWhileUnavailable } from '../../../db/retry-while-unavailable.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import { createMutex } from '../../../runtime/mutex.ts';
import { type Entry, type FoundLink, Frontier, type UrlState } from '../../../scraping/crawl/frontier.ts';
import { withRouteOf } from '../../../scraping/crawl/normalized-url.ts';
import { type CrawlScope, createScope } from '../../../scraping/crawl/scope.ts';
import {
  openPageEngine,
  type PageEngine,
  type PageEngineContext,
} from '../../../scraping/engine/page-engine.ts';
import type { ScrapedPage, ScrapeSpec } from '../../../scraping/fetching/page.ts';
import type { Allowance } from '../allowance.ts';
import type { Scrape } from '../execution.ts';
import { AttemptAborted, type FailedPage, failedPage, outcomeFromPages } from '../outcome.ts';
import { type PoliteFetch, pageNotLoaded, snoozeFor, type Wait } from '../politeness/polite-fetch.ts';
import { type UploadArtifacts, withArtifactPaths } from './artifacts.ts';
import { crawlMessage } from './crawl-message.ts';
import { asRequested, contentHashOf, LINKS_AT_ONCE, specOfPages } from './crawl-page.ts';
import { restoreFrontier } from './crawl-restore.ts';
import type { FindSitemapUrls } from './crawl-sitemaps.ts';

export interface CrawlOptions {
  database: Database;
  scraping: Omit<PageEngineContext, 'signal' | 'logger'>;
  uploadArtifacts: UploadArtifacts;
  politeFetch: PoliteFetch;
  allowance: Pick<Allowance, 'refused' | 'require'>;
  findSitemapUrls: FindSitemapUrls;
  /** Pages of a host at the same time; more loops of a crawl would only wait for each other. */
  hostConcurrency: number;
  jobTimeoutMs: number;
}

const DEFAULT_MAX_PAGES = 10_000;
const DEFAULT_MAX_DEPTH = 100;
/** Limit of known URLs: for a job of a hundred pages, a site's millions of URLs are not stored. */
const maxKnownFor = (maxPages: number): number => Math.min(Math.max(10 * maxPages, 2000), 500_000);
/** For a URL that fails with a retryable error. */
const TRIES = 3;
const TRY_AGAIN_MS = 1000;

/**
 * Crawls a site breadth first from the job's URLs. Stores each page with the URLs it links to in
 * one statement: the attempt after a crash restores the frontier, and fetches no stored page again.
 *
 * A crawl may take longer than one attempt. Shortly before its deadline the attempt stops and
 * releases the job at no cost; it is claimed again at once, and other jobs can run in between. When
 * the process begins to stop, the attempt does the same after the pages that are loading.
 */
export function createCrawlJob(options: CrawlOptions): Scrape {
  return async (job, signal, logger, stopping) => {
    const attempt = new CrawlAttempt(options, job, { signal, stopping }, logger);
    await attempt.restore();
    try {
      await attempt.begin();
    } catch (error) {
      // No page is stored yet: the next attempt starts from the beginning.
      if (stopping.aborted && !signal.aborted) return { kind: 'released' };
      throw error;
    }
    return attempt.crawl();
  };
}

class CrawlAttempt {
  readonly #spec: ScrapeSpec;
  readonly #scope: CrawlScope;
  readonly #frontier: Frontier;
  readonly #maxPages: number;
  readonly #maxKnown: number;
  readonly #endsAt: number;
  readonly #signal: AbortSignal;
  readonly #stopping: AbortSignal;
  /** For waits that a stop ends too. */
  readonly #waiting: AbortSignal;
  /** By position, whether the page stored there has an error. */
  readonly #stored = new Map<number, boolean>();
  readonly #failed: FailedPage[] = [];
  /** By host. */
  readonly #postponed = new Map<string, Wait>();
  #errors = 0;
  /** Number of URLs by state, of those that ended without a page. */
  #leftOut = new Map<UrlState, number>();
  #fromSitemaps = 0;
  /** Pages in a row that led to no new URL. */
  #withoutNews = 0;
  #inFlight = 0;
  /** Of the pages in flight, those that are still loading. */
  #loading = 0;
  #progressed = false;
  #ending = false;
  readonly #exclusively = createMutex();
  /** Resolvers of loops that wait until a page ends. */
  #idle: (() => void)[] = [];

  constructor(
    private readonly options: CrawlOptions,
    private readonly job: ClaimedJob,
    { signal, stopping }: { signal: AbortSignal; stopping: AbortSignal },
    private readonly logger: Logger,
  ) {
    this.#signal = signal;
    this.#stopping = stopping;
    this.#waiting = AbortSignal.any([signal, stopping]);
    const { crawl = {}, map, urls = [] } = job.spec;
    this.#spec = specOfPages(job.spec);
    this.#maxPages = map ? PAGES_OF_A_MAP : (crawl.max_pages ?? DEFAULT_MAX_PAGES);
    this.#maxKnown = map?.limit ?? maxKnownFor(this.#maxPages);
    this.#scope = createScope(urls, { ...crawl, sameOrigin: crawl.same_origin ?? true });
    this.#frontier = new Frontier({
      scope: this.#scope,
      maxDepth: crawl.max_depth ?? DEFAULT_MAX_DEPTH,
      maxKnown: this.#maxKnown,
    });
    const pageMs = job.spec.timeout_ms ?? options.scraping.pageTimeoutMs;
    const longestMs = Math.max(options.jobTimeoutMs / 2, options.jobTimeoutMs - 2 * pageMs);
    this.#endsAt = performance.now() + (map ? Math.min(longestMs, MAP_MS) : longestMs);
  }

  /** Restores what earlier attempts stored. */
  async restore(): Promise<void> {
    const { database } = this.options;
    this.#leftOut = await restoreFrontier(this.#frontier, (after, limit) =>
      this.#read(() => listCrawlUrls(database, this.job.id, after, limit)),
    );
    const pages = await this.#read(() => listStoredPages(database, this.job.id));
    for (const { position, failed } of pages) this.#countPage(position, failed);
  }

  async #read<Row>(query: () => Promise<Row[]>): Promise<Row[]> {
    const rows = await retryWhileUnavailable([this.#signal], this.logger, query);
    this.#signal.throwIfAborted();
    return rows ?? [];
  }

  /** Adds the job's URLs and, unless pages are stored already, those of the site's sitemaps. */
  async begin(): Promise<void> {
    const { job, options } = this;
    const seeds = (job.spec.urls ?? []).flatMap((url) => this.#frontier.addSeed(url) ?? []);
    if (seeds.length > 0) await this.#store({ found: seeds });
    const isNew = this.#stored.size === 0;
    if (!isNew || (job.spec.crawl?.max_depth ?? 1) === 0) return;
    const urls = await options.findSitemapUrls(job, this.#scope, this.#waiting, this.logger);
    const before = this.#frontier.known;
    const found = await this.#addLinks(
      urls.map((url) => ({ url })),
      null,
    );
    this.#fromSitemaps = this.#frontier.known - before;
    if (found.length > 0) await this.#store({ found });
  }

  /** Stores new links in parts; returns the last part, which the caller stores with its page. */
  async #addLinks(links: FoundLink[], from: Entry | null, afterDuplicate = false): Promise<Entry[]> {
    for (let start = 0; ; start += LINKS_AT_ONCE) {
      const part = links.slice(start, start + LINKS_AT_ONCE);
      const found = this.#frontier.addLinks(part, from, afterDuplicate);
      if (start + LINKS_AT_ONCE >= links.length) return found;
      // In the same tick, before any of them can be fetched: a URL's result is written to its row.
      if (found.length > 0) await this.#store({ found });
      else await nextTick();
    }
  }

  async crawl(): Promise<Outcome> {
    const { options, logger } = this;
    const signal = this.#signal;
    const scraping = openPageEngine(this.#spec, { ...options.scraping, signal, logger });
    try {
      const concurrency = Math.min(scraping.concurrency, options.hostConcurrency);
      const loops = Array.from({ length: concurrency }, () => this.#fetchPages(scraping));
      const ends = await Promise.allSettled(loops);
      signal.throwIfAborted();
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    } finally {
      // Not awaited: a page that hangs takes seconds to end, and the pool waits for it when it
      // stops.
      void scraping.close();
    }
    return this.#outcome();
  }

  #outcome(): Outcome {
    const { map } = this.job.spec;
    if (this.#isHandedBack) return { kind: 'released' };
    // A client waits for a map: a partial map of a slow site is better than a long wait.
    const isEnough = this.#stored.size >= this.#maxPages || (map !== undefined && this.#progressed);
    if (!isEnough && this.#postponed.size > 0)
      throw snoozeFor([...this.#postponed.values()], this.#progressed);
    if (!isEnough && this.#frontier.waiting > 0) {
      if (this.#progressed) return { kind: 'released' };
      const message = `no page was loaded in ${this.options.jobTimeoutMs} ms`;
      return { kind: 'retry', error: { code: ErrorCode.attemptTimeout, message } };
    }
    const hasPage = this.#stored.size > this.#errors || (map !== undefined && this.#frontier.known > 1);
    return hasPage ? { kind: 'completed' } : outcomeFromPages(this.#failed.length, this.#failed);
  }

  /** Another worker continues at once with what is left. */
  get #isHandedBack(): boolean {
    return this.#stopping.aborted && this.#frontier.waiting > 0 && this.#stored.size < this.#maxPages;
  }

  /** Fetches one page after another. Not `p-map`: the list grows while it is worked on. */
  async #fetchPages(scraping: PageEngine): Promise<void> {
    for (;;) {
      const entry = this.#take();
      if (entry === 'none') return;
      if (entry === 'later') {
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      this.#inFlight += 1;
      try {
        await this.#fetchPage(entry, scraping);
      } catch (error) {
        this.#ending = true;
        throw error;
      } finally {
        this.#inFlight -= 1;
        for (const wake of this.#idle.splice(0)) wake();
      }
    }
  }

  #take(): Entry | 'none' | 'later' {
    if (this.#ending || this.#waiting.aborted || performance.now() >= this.#endsAt) return 'none';
    if (this.#isMapped()) return 'none';
    // A page in flight may yield links, or not count as a page.
    const nothing = this.#inFlight > 0 ? 'later' : 'none';
    if (this.#stored.size + this.#inFlight >= this.#maxPages) return nothing;
    return this.#frontier.take(this.#postponed) ?? nothing;
  }

  /** Whether the sitemaps seem to hold the whole site, so that a map need not load more pages. */
  #isMapped(): boolean {
    const isBySitemaps = this.#fromSitemaps * 2 >= this.#frontier.known;
    return this.job.spec.map !== undefined && isBySitemaps && this.#withoutNews >= PAGES_WITHOUT_NEWS;
  }

  async #fetchPage(entry: Entry, scraping: PageEngine): Promise<void> {
    if (entry.tries > 0) {
      await delay(TRY_AGAIN_MS * entry.tries, undefined, { signal: this.#waiting }).catch(() => {});
    }
    // Pages of a map are not stored, and so not refused one by one.
    if (this.job.spec.map) await this.options.allowance.require(this.job);
    this.#loading += 1;
    const fetched = await this.options
      .politeFetch(entry.url, (permit) => scraping.scrape(entry.url, permit), this.job, this.#waiting)
      .catch((error) => {
        // It waited for a permit, or for robots.txt.
        if (this.#stopping.aborted && !this.#signal.aborted) return null;
        throw error;
      })
      .finally(() => {
        this.#loading -= 1;
      });
    if (fetched === null) {
      this.#frontier.putBack(entry);
      return;
    }
    if (fetched.kind === 'postponed') {
      this.#postponed.set(fetched.wait.host, fetched.wait);
      this.#frontier.putBack(entry);
      return;
    }
    this.#progressed = true;
    if (fetched.kind === 'disallowed') return this.#storeDisallowed(entry, fetched.error);
    const { error } = fetched.scraped.page;
    // It redirects to a URL that robots.txt disallows.
    if (error?.code === 'robots_disallowed') await this.#storeDisallowed(entry, error);
    else if (error) await this.#storeFailed(entry, fetched.scraped, error);
    else await this.#storeLoaded(entry, fetched.scraped);
  }

  /**
   * A URL of the job gets a page with the error; of discovered URLs only the number is reported.
   */
  async #storeDisallowed(entry: Entry, error: ErrorInfo): Promise<void> {
    if (entry.depth === 0 || failedPage(error).retryable) {
      return this.#storeFailed(entry, pageNotLoaded(entry.url, error), error);
    }
    await this.#storeLeftOut(entry, 'disallowed');
  }

  async #storeFailed(entry: Entry, scraped: ScrapedPage, error: ErrorInfo): Promise<void> {
    const { retryable } = failedPage(error);
    if (retryable && entry.tries + 1 < TRIES) {
      const retried = { ...entry, tries: entry.tries + 1 };
      await this.#store({ visited: [visited(retried, 'waiting')] });
      this.#frontier.putBack(retried);
      return;
    }
    this.#failed.push({ error, retryable });
    // Without its seed a site has no pages: the job's next attempt starts with it.
    const state = retryable && entry.depth === 0 ? 'waiting' : 'done';
    await this.#store({ visited: [visited({ ...entry, tries: 0 }, state)], scraped, entry });
  }

  async #storeLoaded(entry: Entry, scraped: ScrapedPage): Promise<void> {
    const { page } = scraped;
    const finalUrl = withRouteOf(entry.url, page.final_url ?? entry.url);
    if (entry.depth === 0) this.#scope.extendTo(finalUrl);
    if (!this.#scope.isSameSite(finalUrl)) return this.#storeLeftOut(entry, 'outside');
    const contentHash = await contentHashOf(page);
    const known = this.#frontier.known;
    const target = this.#frontier.arriveAt(entry, finalUrl);
    if (target === true) return this.#storeLeftOut(entry, 'duplicate');
    if (this.#frontier.isKnownContent(contentHash)) {
      // Its relative links may lead to other pages than those of the page it is the same as. Only
      // one duplicate in a row, or a trap would never end.
      const links = entry.afterDuplicate ? [] : (page.links ?? []);
      return this.#storeLeftOut(entry, 'duplicate', await this.#addLinks(links, entry, true));
    }
    // It redirected to an address that waited: the page is stored there, unless the job names this one.
    const [at, other] = target && entry.depth > 0 ? [target, entry] : [entry, target];
    const done = [visited(at, 'done', { title: page.title, contentHash })];
    if (other) done.push(visited(other, 'duplicate'));
    const found = await this.#addLinks(page.links ?? [], entry);
    this.#withoutNews = this.#frontier.known === known ? this.#withoutNews + 1 : 0;
    await this.#store({
      ...{ visited: done, found, entry: at },
      scraped: { ...scraped, page: { ...page, url: at.url } },
    });
  }

  async #storeLeftOut(entry: Entry, state: UrlState, found: Entry[] = []): Promise<void> {
    this.#leftOut.set(state, (this.#leftOut.get(state) ?? 0) + 1);
    await this.#store({ visited: [visited(entry, state)], found });
  }

  async #store(step: {
    visited?: VisitedUrl[];
    found?: Entry[];
    scraped?: ScrapedPage;
    entry?: Entry;
  }): Promise<void> {
    const { options, job, logger } = this;
    const signal = this.#signal;
    let page: CrawlStep['page'] = null;
    if (step.entry && step.scraped) {
      const { position } = step.entry;
      this.#countPage(position, step.scraped.page.error !== null);
      if (!job.spec.map)
        page = { position, ...withArtifactPaths(job.id, position, asRequested(job.spec, step.scraped)) };
    }
    const stored: CrawlStep = {
      ...{ visited: step.visited ?? [], found: step.found ?? [], page, progress: this.#progress() },
      isMap: job.spec.map !== undefined,
      counts: job.spec.map ? NOTHING : { pages: this.#stored.size, leads: 0, errors: this.#errors },
    };
    // One at a time: counts must not decrease because a later statement overtook an earlier one.
    const result = await this.#exclusively(() =>
      retryWhileUnavailable([signal], logger, async () =>
        storeCrawlStep(options.database, job, {
          ...stored,
          page: page && (await options.uploadArtifacts(job, page)),
        }),
      ),
    );
    signal.throwIfAborted();
    if (!result || result.kind === 'lost') throw new AttemptAborted('lease_lost');
    if (result.kind === 'full') throw options.allowance.refused(job, result.exhausted);
  }

  #countPage(position: number, failed: boolean): void {
    this.#errors += Number(failed) - Number(this.#stored.get(position) ?? false);
    this.#stored.set(position, failed);
  }

  #progress() {
    const done = this.#stored.size;
    const known = done + this.#frontier.waiting + this.#loading;
    const message = crawlMessage({
      ...{ pages: done, known: this.#frontier.known, refusals: this.#frontier.refusals },
      ...{ leftOut: this.#leftOut, maxKnown: this.#maxKnown },
      unvisited: done >= this.#maxPages ? this.#frontier.waiting : 0,
    });
    return { done, total: Math.max(done, Math.min(known, this.#maxPages)), message };
  }
}

const NOTHING = { pages: 0, leads: 0, errors: 0 };

/** Pages that a map loads besides the sitemaps, if its time allows. */
const PAGES_OF_A_MAP = 5000;
/** Less than the client waits, see api/jobs/map.ts. */
const MAP_MS = 35_000;
/** A map of a site whose sitemaps have most of its pages ends after this many without a new URL. */
const PAGES_WITHOUT_NEWS = 20;

const visited = (
  { position, tries }: Entry,
  state: UrlState,
  more: { title?: string | null; contentHash?: string | null } = {},
): VisitedUrl => ({ position, tries, state, title: null, contentHash: null, ...more });
