import { pageError } from '../../../core/jobs/page-errors.ts';
import type { Database } from '../../../db/connect.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import type { HttpClient } from '../../../scraping/http/client.ts';
import type { Denied } from '../../../scraping/politeness/permit.ts';
import { isAllowed, productTokenOf } from '../../../scraping/politeness/robots-permission.ts';
import { createHostLimiter } from './host-limiter.ts';
import { Permit } from './permit.ts';
import { createRobotsFiles } from './robots-files.ts';

/**
 * The fleet's rules towards hosts: robots.txt, a limit of concurrent pages, a gap between two
 * starts, and a pause if a host asks for one. They hold over all workers, because a host's state is
 * in Postgres. A permit is acquired before each page and sitemap:
 *
 *     const acquired = await politeness.acquire(url, signal);
 *     if (acquired.kind !== 'granted') return acquired; // wait, or disallowed
 *     using permit = acquired;
 *     const page = await scraping.scrape(url, permit); // a redirect asks `permit.follow(next)`
 *     permit.pause(page.retryAfterMs ?? 0, new URL(page.final_url).host);
 */
export interface Politeness {
  /**
   * Waits up to two seconds for a permit.
   * @throws the signal's reason
   */
  acquire(url: string, signal: AbortSignal, options?: AcquireOptions): Promise<Permit | Denied>;
  /** URLs of an origin's sitemaps, as its robots.txt names them. */
  sitemapsOf(url: string, signal: AbortSignal): Promise<string[]>;
  stop(): Promise<void>;
}

export interface AcquireOptions {
  /** The job was snoozed before: it precedes jobs that were not. */
  isResumed?: boolean;
}

/** Longer crawl delays are cut to this: a site may ask for a slow crawl, not for an endless one. */
const LONGEST_CRAWL_DELAY_MS = 60_000;

export function createPoliteness(options: {
  database: Database;
  http: Pick<HttpClient, 'get'>;
  logger: Logger;
  userAgent: string;
  /** False for the operator's own sites. */
  respectRobots: boolean;
  /** Pages of a host at the same time, and milliseconds between two of their starts. */
  host: { concurrency: number; gapMs: number };
  leaseMs: number;
}): Politeness {
  const { database, http, logger, host, leaseMs, respectRobots } = options;
  const agent = productTokenOf(options.userAgent);
  const limiter = createHostLimiter({ database, logger, leaseMs, concurrency: host.concurrency });
  const files = createRobotsFiles({ database, http, limiter, logger, gapMs: host.gapMs, agent });

  return {
    acquire: (url, signal, { isResumed = false } = {}) =>
      Permit.acquire(
        url,
        {
          robots: (next, asking) => checkRobots(next, isResumed, asking),
          host: (name, gapMs, asking) => limiter.acquire(name, { gapMs, isResumed }, asking),
        },
        signal,
      ),
    async sitemapsOf(url, signal) {
      const answer = await files.find(url, false, signal);
      return answer.kind === 'rules' ? answer.sitemaps : [];
    },
    stop: () => limiter.stop(),
  };

  async function checkRobots(
    url: string,
    isResumed: boolean,
    signal: AbortSignal,
  ): Promise<{ kind: 'granted'; gapMs: number } | Denied> {
    if (!respectRobots) return { kind: 'granted', gapMs: host.gapMs };
    const answer = await files.find(url, isResumed, signal);
    if (answer.kind === 'wait') return answer;
    if (answer.kind === 'unreachable') return { kind: 'disallowed', error: answer.error };
    if (!isAllowed(answer.permissions, url)) {
      return { kind: 'disallowed', error: pageError('robots_disallowed') };
    }
    const crawlDelayMs = (answer.permissions.crawlDelay ?? 0) * 1000;
    return { kind: 'granted', gapMs: Math.max(host.gapMs, Math.min(crawlDelayMs, LONGEST_CRAWL_DELAY_MS)) };
  }
}
