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
 * How the fleet behaves towards hosts: robots.txt, so many pages of a host at once, a gap between two starts, and a pause if a host
 * asks for one. It holds for all workers together, because what is known of a host is in Postgres. Acquired before each page and
 * sitemap:
 *
 *     const acquired = await politeness.acquire(url, signal);
 *     if (acquired.kind !== 'granted') return acquired; // wait, or disallowed
 *     using permit = acquired;
 *     const page = await scraping.scrape(url, permit); // a redirect asks `permit.follow(next)`
 *     permit.pause(page.retryAfterMs ?? 0, new URL(page.final_url).host);
 */
export interface Politeness {
  /**
   * Waits for its permit for two seconds at most.
   * @throws the signal's reason
   */
  acquire(url: string, signal: AbortSignal, options?: AcquireOptions): Promise<Permit | Denied>;
  /** Addresses of an origin's sitemaps, as its robots.txt names them. */
  sitemapsOf(url: string, signal: AbortSignal): Promise<string[]>;
  stop(): Promise<void>;
}

export interface AcquireOptions {
  /** The job was told to come back before: it goes before jobs that were not. */
  isResumed?: boolean;
}

/** A site may ask for a slow crawl, and not for one that never ends. */
const LONGEST_CRAWL_DELAY_MS = 60_000;

export function createPoliteness(options: {
  database: Database;
  http: Pick<HttpClient, 'get'>;
  logger: Logger;
  userAgent: string;
  /** False for sites of one's own. */
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
