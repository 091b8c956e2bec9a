import type { ClaimedJob } from '../../../core/jobs/job.ts';
import { PageFailure } from '../../../core/jobs/page-errors.ts';
import { parseUrl } from '../../../core/parse-url.ts';
import { authorizationFor } from '../../../core/url-login.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import { startTimeSlice } from '../../../runtime/time-slice.ts';
import type { CrawlScope } from '../../../scraping/crawl/scope.ts';
import { readSitemap } from '../../../scraping/crawl/sitemap.ts';
import { sitemapLinksIn } from '../../../scraping/crawl/sitemap-link.ts';
import type { HttpClient, HttpResponse } from '../../../scraping/http/client.ts';
import type { Politeness } from '../politeness/politeness.ts';

/** Finds the URLs in scope that the sitemaps of a job's sites list. */
export type FindSitemapUrls = (
  job: ClaimedJob,
  scope: CrawlScope,
  signal: AbortSignal,
  logger: Logger,
) => Promise<string[]>;

/** Files read, index files included; large sites have hundreds. */
const MAX_FILES = 50;
const MAX_URLS = 200_000;
const MAX_BYTES = 52_428_800;
/** Of all files together, before decompression. */
const MAX_BYTES_IN_ALL = 4 * MAX_BYTES;
const TIMEOUT_MS = 30_000;
/** Of the page whose head may link a sitemap. */
const MAX_PAGE_BYTES = 2 * 1024 * 1024;

/** Default locations of sitemaps: the protocol's, then those of the most common programs. */
const DEFAULT_PATHS = ['/sitemap.xml', '/sitemap_index.xml', '/wp-sitemap.xml'];

/**
 * Reads the sitemaps that robots.txt names; else the first that exists at a default location; else
 * those that the page links. Then the sitemaps they name, each once. A sitemap that cannot be read
 * is skipped: the crawl finds its pages by links.
 */
export function createFindSitemapUrls({
  politeness,
  http,
}: {
  politeness: Politeness;
  http: Pick<HttpClient, 'get'>;
}): FindSitemapUrls {
  return async (job, scope, signal, logger) => {
    const reader = new SitemapReader(
      scope,
      (url, maxBytes) => load(url, maxBytes, job, signal, logger),
      signal,
    );
    const seeds = new Map((job.spec.urls ?? []).map((url) => [new URL(url).origin, url]));
    for (const [origin, seed] of seeds) {
      const named = resolved(await politeness.sitemapsOf(origin, signal), origin);
      if (named.length > 0) await reader.readAll(named);
      else await reader.readUnnamed(origin, seed);
    }
    const { pages, files } = reader;
    if (pages.size > 0) logger.debug('sitemaps_read', { files, urls: pages.size });
    return [...pages];
  };

  /** Null if there is none, or robots.txt or the host limiter denies it. */
  async function load(
    url: string,
    maxBytes: number,
    { isResumed, spec }: ClaimedJob,
    signal: AbortSignal,
    logger: Logger,
  ): Promise<HttpResponse | null> {
    const acquired = await politeness.acquire(url, signal, { isResumed });
    if (acquired.kind !== 'granted') return null;
    using permit = acquired;
    try {
      const answer = await http.get(url, {
        ...{ signal, timeoutMs: TIMEOUT_MS, maxBytes, permit },
        authorization: (requested) => authorizationFor(spec.logins, requested, url),
      });
      return answer.status === 200 ? answer : null;
    } catch (error) {
      if (!(error instanceof PageFailure)) throw error;
      logger.debug('sitemap_failed', { url, code: error.code });
      return null;
    }
  }
}

/** Reads one job's sitemaps within the limits, and collects the URLs they list. */
class SitemapReader {
  readonly pages = new Set<string>();
  readonly #seen = new Set<string>();
  #bytes = 0;

  constructor(
    private readonly scope: CrawlScope,
    private readonly load: (url: string, maxBytes: number) => Promise<HttpResponse | null>,
    private readonly signal: AbortSignal,
  ) {}

  get files(): number {
    return this.#seen.size;
  }

  async readUnnamed(origin: string, seed: string): Promise<void> {
    for (const place of resolved(DEFAULT_PATHS, origin)) {
      if (await this.readAll([place])) return;
    }
    const page = this.#isEnough ? null : await this.load(seed, MAX_PAGE_BYTES);
    if (page) await this.readAll(resolved(sitemapLinksIn(page.body.toString('latin1')), page.url));
  }

  /** @returns whether any of them exists */
  async readAll(urls: readonly string[]): Promise<boolean> {
    const queue = urls.slice(0, MAX_FILES);
    let isAny = false;
    for (let next = queue.shift(); next !== undefined && !this.#isEnough; next = queue.shift()) {
      if (this.#seen.has(next)) continue;
      this.#seen.add(next);
      const sitemap = await this.#read(next);
      if (!sitemap) continue;
      isAny = true;
      // An index may list thousands, with repeats; those beyond the limit are not queued.
      for (const url of sitemap.sitemaps) {
        if (this.#seen.size + queue.length >= MAX_FILES) break;
        queue.push(...resolved([url], next).filter((other) => !this.#seen.has(other)));
      }
    }
    return isAny;
  }

  get #isEnough(): boolean {
    return this.#seen.size >= MAX_FILES || this.pages.size >= MAX_URLS || this.#bytes >= MAX_BYTES_IN_ALL;
  }

  async #read(url: string) {
    const answer = await this.load(url, MAX_BYTES);
    if (!answer) return null;
    this.#bytes += answer.body.length;
    const { url: arrived, contentType, body } = answer;
    const sitemap = await readSitemap(body, { url: arrived, contentType, signal: this.signal });
    const slice = startTimeSlice();
    for (const page of sitemap?.pages ?? []) {
      if (slice.isOver) await slice.next();
      if (this.pages.size >= MAX_URLS) break;
      if (parseUrl(page) && this.scope.includes(page)) this.pages.add(page);
    }
    return sitemap;
  }
}

const resolved = (urls: readonly string[], base: string): string[] =>
  urls.map((url) => parseUrl(url, base)?.href.split('#', 1)[0] ?? '').filter((url) => /^https?:/.test(url));
