import type { ClaimedJob } from '../../../core/jobs/job.ts';
import { PageFailure } from '../../../core/jobs/page-errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Bounds } from '../../../scraping/crawl/scope.ts';
import { readSitemap } from '../../../scraping/crawl/sitemap.ts';
import type { HttpClient } from '../../../scraping/http/client.ts';
import type { Politeness } from '../politeness/politeness.ts';

/** The addresses of a job's sites that their own sitemaps list. */
export type FindSitemapUrls = (
  job: ClaimedJob,
  bounds: Bounds,
  signal: AbortSignal,
  logger: Logger,
) => Promise<string[]>;

/** Files, an index counted as one; large sites have hundreds. */
const MAX_FILES = 50;
const MAX_URLS = 200_000;
const MAX_BYTES = 52_428_800;
const TIMEOUT_MS = 30_000;

/**
 * Reads the sitemaps that robots.txt names, else `/sitemap.xml`, and those they name in turn. Whatever is wrong with one, the crawl does
 * without it: what it lists is linked from somewhere, or was not meant to be found.
 */
export function createFindSitemapUrls({
  politeness,
  http,
}: {
  politeness: Politeness;
  http: Pick<HttpClient, 'get'>;
}): FindSitemapUrls {
  return async (job, bounds, signal, logger) => {
    const origins = new Set((job.spec.urls ?? []).map((url) => new URL(url).origin));
    const queue: string[] = [];
    for (const origin of origins) {
      const named = await politeness.sitemapsOf(origin, signal);
      const urls = named.flatMap((url) => (URL.canParse(url, origin) ? new URL(url, origin).href : []));
      queue.push(...(urls.length > 0 ? urls : [`${origin}/sitemap.xml`]));
    }
    const seen = new Set<string>();
    const pages = new Set<string>();
    for (
      let next = queue.shift();
      next && seen.size < MAX_FILES && pages.size < MAX_URLS;
      next = queue.shift()
    ) {
      if (seen.has(next) || !/^https?:/.test(next)) continue;
      seen.add(next);
      const sitemap = await load(next, job, signal, logger);
      for (const page of sitemap?.pages ?? [])
        if (URL.canParse(page) && bounds.includes(page)) pages.add(page);
      queue.push(...(sitemap?.sitemaps ?? []));
    }
    if (pages.size > 0) logger.debug('sitemaps_read', { files: seen.size, urls: pages.size });
    return [...pages];
  };

  async function load(url: string, { isResumed }: ClaimedJob, signal: AbortSignal, logger: Logger) {
    const acquired = await politeness.acquire(url, signal, { isResumed });
    if (acquired.kind !== 'granted') return null;
    using permit = acquired;
    try {
      const answer = await http.get(url, { signal, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, permit });
      return answer.status === 200 ? await readSitemap(answer.body) : null;
    } catch (error) {
      if (!(error instanceof PageFailure)) throw error;
      logger.debug('sitemap_failed', { url, code: error.code });
      return null;
    }
  }
}
