import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ErrorCode, type ErrorInfo } from '../../../core/errors.ts';
import type { ClaimedJob, JobSpec } from '../../../core/jobs/job.ts';
import { DEFAULT_FORMATS } from '../../../core/jobs/job-schemas.ts';
import type { Outcome } from '../../../core/jobs/job-state.ts';
import type { Page } from '../../../core/jobs/page.ts';
import { pageErrorConsequence } from '../../../core/jobs/page-errors.ts';
import type { Database } from '../../../db/connect.ts';
import { listStoredPages } from '../../../db/jobs/run.ts';
import { type CrawlStep, listCrawlUrls, storeCrawlStep, type VisitedUrl } from '../../../db/pages/crawl.ts';
import { untilDatabaseAnswers } from '../../../db/retry-while-unavailable.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { addressOf } from '../../../scraping/crawl/address.ts';
import { type AddressState, type Entry, Frontier } from '../../../scraping/crawl/frontier.ts';
import { type Bounds, createBounds } from '../../../scraping/crawl/scope.ts';
import { openScraping, type ScrapeContext, type Scraping } from '../../../scraping/engine/page-engine.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';
import type { MayFollow } from '../../../scraping/politeness/politeness.ts';
import { RunAborted } from '../attempt-aborted.ts';
import type { JobSteps } from '../execution.ts';
import { type Later, snoozeFor, type VisitPage } from '../politeness/polite-fetch.ts';
import type { FindSitemapUrls } from './crawl-sitemaps.ts';
import { type FailedPage, verdict } from './outcome-from-pages.ts';
import { pageNotLoaded, withArtifactPaths } from './stored-page.ts';
import type { PutAside } from './upload-artifacts.ts';

export interface CrawlOptions {
  database: Database;
  scraping: Omit<ScrapeContext, 'signal' | 'logger'>;
  putAside: PutAside;
  visitPage: VisitPage;
  findSitemapUrls: FindSitemapUrls;
  /** Pages of a host at the same time; more of a crawl would only wait for each other. */
  hostConcurrency: number;
  jobTimeoutMs: number;
}

const DEFAULT_MAX_PAGES = 10_000;
const DEFAULT_MAX_DEPTH = 100;
/** Of known addresses. A site of millions is not written down for the sake of the hundred that are wanted. */
const maxKnownFor = (maxPages: number): number => Math.min(Math.max(10 * maxPages, 2000), 500_000);
/** Visits of an address that fails for a reason that may pass. */
const TRIES = 3;
const TRY_AGAIN_MS = 1000;

/**
 * Walks a site breadth first from the job's URLs and stores each page with the addresses it led to, in one statement: whoever goes on
 * after a crash finds the frontier as it was, and visits nothing again that is stored.
 *
 * A crawl may take longer than an attempt may. Before its time is up the run ends where it is and hands the job back, at no cost; it is
 * claimed again at once, and other jobs have had their chance in between.
 */
export function createCrawler(options: CrawlOptions): JobSteps['scrape'] {
  return async (job, signal, logger) => {
    const run = new CrawlRun(options, job, signal, logger);
    await run.begin();
    return run.walk();
  };
}

class CrawlRun {
  readonly #spec: JobSpec;
  readonly #bounds: Bounds;
  readonly #frontier: Frontier;
  readonly #maxPages: number;
  readonly #endsAt: number;
  /** By position, whether the page stored there has an error. */
  readonly #stored = new Map<number, boolean>();
  readonly #failed: FailedPage[] = [];
  readonly #later = new Map<string, Later>();
  #errors = 0;
  #disallowed = 0;
  #underWay = 0;
  /** Of those under way, the ones whose page is not there yet. */
  #loading = 0;
  #progressed = false;
  #ending = false;
  readonly #inTurn = oneByOne();
  /** Lanes that found nothing to do, until something ends. */
  #idle: (() => void)[] = [];

  constructor(
    private readonly options: CrawlOptions,
    private readonly job: ClaimedJob,
    private readonly signal: AbortSignal,
    private readonly logger: Logger,
  ) {
    const { crawl = {}, map, urls = [] } = job.spec;
    this.#spec = specOfPages(job.spec);
    this.#maxPages = map ? PAGES_OF_A_MAP : (crawl.max_pages ?? DEFAULT_MAX_PAGES);
    this.#bounds = createBounds(urls, { ...crawl, sameOrigin: crawl.same_origin ?? true });
    this.#frontier = new Frontier({
      bounds: this.#bounds,
      maxDepth: crawl.max_depth ?? DEFAULT_MAX_DEPTH,
      maxKnown: map?.limit ?? maxKnownFor(this.#maxPages),
    });
    const pageMs = job.spec.timeout_ms ?? options.scraping.pageTimeoutMs;
    const longestMs = Math.max(options.jobTimeoutMs / 2, options.jobTimeoutMs - 2 * pageMs);
    this.#endsAt = performance.now() + (map ? Math.min(longestMs, MAP_MS) : longestMs);
  }

  /** Takes up what is stored, or begins with the job's URLs and the site's own list of its pages. */
  async begin(): Promise<void> {
    const { job, options } = this;
    const read = await untilDatabaseAnswers([this.signal], this.logger, async () => ({
      known: await listCrawlUrls(options.database, job.id),
      pages: await listStoredPages(options.database, job.id),
    }));
    this.signal.throwIfAborted();
    for (const url of read?.known ?? []) {
      this.#frontier.restore(url, url.state as AddressState, url.contentHash);
      if (url.state === 'disallowed') this.#disallowed += 1;
    }
    for (const { position, failed } of read?.pages ?? []) this.#countPage(position, failed);

    const seeds = (job.spec.urls ?? []).flatMap((url) => this.#frontier.addSeed(url) ?? []);
    if (seeds.length > 0) await this.#store({ found: seeds });
    const isNew = this.#stored.size === 0;
    if (!isNew || (job.spec.crawl?.max_depth ?? 1) === 0) return;
    const urls = await options.findSitemapUrls(job, this.#bounds, this.signal, this.logger);
    const found = this.#frontier.addLinks(
      urls.map((url) => ({ url })),
      null,
    );
    if (found.length > 0) await this.#store({ found });
  }

  async walk(): Promise<Outcome> {
    const { options, signal, logger } = this;
    const scraping = openScraping(this.#spec, { ...options.scraping, signal, logger });
    try {
      const lanes = Math.min(scraping.concurrency, options.hostConcurrency);
      const ends = await Promise.allSettled(Array.from({ length: lanes }, () => this.#lane(scraping)));
      signal.throwIfAborted();
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    } finally {
      // Not awaited: a page that hangs takes seconds to end, and the pool waits for it when it stops.
      void scraping.close();
    }
    return this.#outcome();
  }

  #outcome(): Outcome {
    const { map } = this.job.spec;
    // Somebody waits for a map: what is known of a slow site is better than a long wait for a little more.
    const isEnough = this.#stored.size >= this.#maxPages || (map !== undefined && this.#progressed);
    if (!isEnough && this.#later.size > 0) throw snoozeFor([...this.#later.values()], this.#progressed);
    if (!isEnough && this.#frontier.waiting > 0) {
      if (this.#progressed) return { kind: 'released' };
      const message = `no page was loaded in ${this.options.jobTimeoutMs} ms`;
      return { kind: 'retry', error: { code: ErrorCode.attemptTimeout, message } };
    }
    const hasPage = this.#stored.size > this.#errors || (map !== undefined && this.#frontier.known > 1);
    return hasPage ? { kind: 'completed' } : verdict(this.#failed.length, this.#failed);
  }

  /** One page after the other, beside the other lanes. */
  async #lane(scraping: Scraping): Promise<void> {
    for (;;) {
      const entry = this.#take();
      if (entry === 'none') return;
      if (entry === 'later') {
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      this.#underWay += 1;
      try {
        await this.#visit(entry, (mayFollow) => scraping.scrape(entry.url, mayFollow));
      } catch (error) {
        this.#ending = true;
        throw error;
      } finally {
        this.#underWay -= 1;
        for (const wake of this.#idle.splice(0)) wake();
      }
    }
  }

  #take(): Entry | 'none' | 'later' {
    if (this.#ending || this.signal.aborted || performance.now() >= this.#endsAt) return 'none';
    // A page under way may lead on, or turn out to be none.
    const nothing = this.#underWay > 0 ? 'later' : 'none';
    if (this.#stored.size + this.#underWay >= this.#maxPages) return nothing;
    return this.#frontier.take(new Set(this.#later.keys())) ?? nothing;
  }

  async #visit(entry: Entry, load: (mayFollow: MayFollow) => Promise<ScrapedPage>): Promise<void> {
    if (entry.tries > 0) {
      await delay(TRY_AGAIN_MS * entry.tries, undefined, { signal: this.signal }).catch(() => {});
    }
    this.#loading += 1;
    const visit = await this.options.visitPage(entry.url, load, this.job, this.signal).finally(() => {
      this.#loading -= 1;
    });
    if (visit.kind === 'later') {
      this.#later.set(visit.later.host, visit.later);
      this.#frontier.putBack(entry);
      return;
    }
    this.#progressed = true;
    if (visit.kind === 'disallowed') return this.#keepDisallowed(entry, visit.error);
    const { error } = visit.scraped.page;
    // Where it leads is not allowed, and so it is not either.
    if (error?.code === 'robots_disallowed') await this.#keepDisallowed(entry, error);
    else if (error) await this.#keepFailed(entry, visit.scraped, error);
    else await this.#keep(entry, visit.scraped);
  }

  /** What the user named is answered for; of what was only found it is enough to say how many there were. */
  async #keepDisallowed(entry: Entry, error: ErrorInfo): Promise<void> {
    if (entry.depth === 0 || pageErrorConsequence(error.code) === 'retryable') {
      return this.#keepFailed(entry, pageNotLoaded(entry.url, error), error);
    }
    this.#disallowed += 1;
    await this.#store({ visited: [visited(entry, 'disallowed')] });
  }

  async #keepFailed(entry: Entry, scraped: ScrapedPage, error: ErrorInfo): Promise<void> {
    const retryable = pageErrorConsequence(error.code) === 'retryable';
    if (retryable && entry.tries + 1 < TRIES) {
      const again = { ...entry, tries: entry.tries + 1 };
      await this.#store({ visited: [visited(again, 'waiting')] });
      this.#frontier.putBack(again);
      return;
    }
    this.#failed.push({ error, retryable });
    // A seed that failed is all there is of its site: the job's next attempt begins with it.
    const state = retryable && entry.depth === 0 ? 'waiting' : 'done';
    await this.#store({ visited: [visited({ ...entry, tries: 0 }, state)], scraped, entry });
  }

  async #keep(entry: Entry, scraped: ScrapedPage): Promise<void> {
    const { page } = scraped;
    const finalUrl = page.final_url ?? entry.url;
    if (entry.depth === 0) this.#bounds.extendTo(finalUrl);
    if (!this.#bounds.isOfSite(finalUrl)) return this.#store({ visited: [visited(entry, 'outside')] });
    const double = this.#frontier.arriveAt(entry, finalUrl);
    const contentHash = contentHashOf(page);
    if (double === true || this.#frontier.isKnownContent(contentHash)) {
      return this.#store({ visited: [visited(entry, 'duplicate')] });
    }
    const done = [visited(entry, 'done', { title: page.title, contentHash })];
    if (double) done.push(visited(double, 'duplicate'));
    await this.#store({
      visited: done,
      found: this.#frontier.addLinks(page.links ?? [], entry),
      scraped,
      entry,
    });
  }

  async #store(step: {
    visited?: VisitedUrl[];
    found?: Entry[];
    scraped?: ScrapedPage;
    entry?: Entry;
  }): Promise<void> {
    const { options, job, signal, logger } = this;
    let page: CrawlStep['page'] = null;
    if (step.entry && step.scraped) {
      const { position } = step.entry;
      this.#countPage(position, step.scraped.page.error !== null);
      if (!job.spec.map)
        page = { position, ...withArtifactPaths(job.id, position, asAskedFor(job.spec, step.scraped)) };
    }
    const stored: CrawlStep = {
      ...{ visited: step.visited ?? [], found: step.found ?? [], page, progress: this.#progress() },
      counts: job.spec.map ? NOTHING : { pages: this.#stored.size, leads: 0, errors: this.#errors },
    };
    // One after the other: the job's counts must not go back because a statement was overtaken.
    const isOurs = await this.#inTurn(() =>
      untilDatabaseAnswers([signal], logger, async () =>
        storeCrawlStep(options.database, job, {
          ...stored,
          page: page && (await options.putAside(job, page)),
        }),
      ),
    );
    signal.throwIfAborted();
    if (!isOurs) throw new RunAborted('lost');
  }

  #countPage(position: number, failed: boolean): void {
    this.#errors += Number(failed) - Number(this.#stored.get(position) ?? false);
    this.#stored.set(position, failed);
  }

  #progress() {
    const done = this.#stored.size;
    const known = done + this.#frontier.waiting + this.#loading;
    const parts = [`${done} pages`, `${this.#frontier.known} addresses known`];
    if (this.#disallowed > 0) parts.push(`${this.#disallowed} not allowed by robots.txt`);
    return { done, total: Math.max(done, Math.min(known, this.#maxPages)), message: parts.join(', ') };
  }
}

const NOTHING = { pages: 0, leads: 0, errors: 0 };

/** A map looks at so many pages besides the site's own list. */
const PAGES_OF_A_MAP = 10;
const MAP_MS = 20_000;

const visited = (
  { position, tries }: Entry,
  state: AddressState,
  more: { title?: string | null; contentHash?: string | null } = {},
): VisitedUrl => ({ position, tries, state, title: null, contentHash: null, ...more });

/** Links are what a crawl lives on, and text tells a page from its doubles. */
function specOfPages(spec: JobSpec): JobSpec {
  const formats = spec.formats ?? [...DEFAULT_FORMATS];
  return {
    ...spec,
    formats: [...new Set([...(spec.map ? [] : formats), 'links' as const, 'text' as const])],
  };
}

function asAskedFor(spec: JobSpec, scraped: ScrapedPage): ScrapedPage {
  const formats: readonly string[] = spec.formats ?? DEFAULT_FORMATS;
  const page: Page = { ...scraped.page };
  if (!formats.includes('links')) delete page.links;
  if (!formats.includes('text')) delete page.text;
  return { ...scraped, page };
}

/** A page that says less is told from others by its links, too: many a list is nothing but links. */
const SAYS_ENOUGH = 200;

/** Hexadecimal; null for a page that has nothing to be known by. */
function contentHashOf({ title, text = '', links = [] }: Page): string | null {
  const keys = text.length >= SAYS_ENOUGH ? [] : links.flatMap(({ url }) => addressOf(url)?.key ?? []).sort();
  if (text === '' && keys.length === 0) return null;
  return createHash('sha256')
    .update(JSON.stringify([title, text, keys]))
    .digest('hex')
    .slice(0, 32);
}

/** Runs what it is given one after the other. */
function oneByOne(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
