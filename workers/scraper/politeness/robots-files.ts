import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { ErrorInfo } from '../../../core/errors.ts';
import { type PageErrorCode, PageFailure, pageError } from '../../../core/jobs/page-errors.ts';
import type { Database } from '../../../db/connect.ts';
import { retryWhileUnavailable } from '../../../db/retry-while-unavailable.ts';
import type { RobotsResult } from '../../../db/sites/robots.ts';
import { findRobots, releaseRobotsLock, storeRobots } from '../../../db/sites/robots.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import type { HttpClient } from '../../../scraping/http/client.ts';
import { retryAfterMs } from '../../../scraping/politeness/retry-after.ts';
import { type Permissions, permissionsFor } from '../../../scraping/politeness/robots-permission.ts';
import { MAX_ROBOTS_BYTES, parseRobots } from '../../../scraping/politeness/robots-txt.ts';
import { type HostLimiter, MAX_WAIT_MS } from './host-limiter.ts';

/** The robots.txt of each origin, fetched once for the fleet and stored in Postgres. */
export interface RobotsFiles {
  /** @throws the signal's reason */
  find(url: string, isResumed: boolean, signal: AbortSignal): Promise<RobotsAnswer>;
}

export type RobotsAnswer =
  | { kind: 'rules'; permissions: Permissions; sitemaps: string[] }
  /** robots.txt could not be fetched; `error` is the page's. */
  | { kind: 'unreachable'; error: ErrorInfo }
  /** The host is busy; retry after `ms`. */
  | { kind: 'wait'; ms: number };

type KnownAnswer = Exclude<RobotsAnswer, { kind: 'wait' }>;

const FRESH_MS = 24 * 60 * 60_000;
/**
 * A failing server is asked again after this; an unreachable host sooner than any job's next
 * attempt.
 */
const FAILED_MS = 60_000;
const GONE_MS = 300;
const TIMEOUT_MS = 10_000;
/** Larger files are cut here; rules beyond `MAX_ROBOTS_BYTES` are ignored. */
const MAX_BYTES = 20 * MAX_ROBOTS_BYTES;
/** Poll interval while another worker fetches the file. */
const POLL_MS = 100;
const ORIGINS = 2000;
/**
 * Cached characters of rules and sitemaps, all origins together: a hostile robots.txt is half a
 * megabyte.
 */
const CACHE_SIZE = 32 * 1024 * 1024;

export function createRobotsFiles(options: {
  database: Database;
  http: Pick<HttpClient, 'get'>;
  limiter: HostLimiter;
  gapMs: number;
  logger: Logger;
  /** LeadEngine's product token. */
  agent: string;
}): RobotsFiles {
  const { database, http, limiter, gapMs, logger, agent } = options;
  const cache = new LRUCache<string, KnownAnswer>({
    max: ORIGINS,
    maxSize: CACHE_SIZE,
    sizeCalculation: sizeOf,
  });

  return {
    async find(url, isResumed, signal) {
      const { origin } = new URL(url);
      const giveUpAt = performance.now() + MAX_WAIT_MS;
      for (;;) {
        const known = cache.get(origin);
        if (known) return known;
        const stored = await retryWhileUnavailable([signal], logger, () => findRobots(database, origin));
        signal.throwIfAborted();
        switch (stored?.kind) {
          case 'known': {
            // Only the rules for our product token are cached.
            const robots = parseRobots(stored.body ?? new Uint8Array());
            const answer = {
              ...{ kind: 'rules' as const, permissions: permissionsFor(robots, agent) },
              sitemaps: robots.sitemaps,
            };
            cache.set(origin, answer, { ttl: stored.freshMs });
            return answer;
          }
          case 'unreachable': {
            const answer = { kind: 'unreachable', error: errorOf(stored.errorCode) } as const;
            cache.set(origin, answer, { ttl: stored.freshMs });
            return answer;
          }
          case 'being_read':
            if (performance.now() >= giveUpAt) return { kind: 'wait', ms: MAX_WAIT_MS * (1 + Math.random()) };
            await delay(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
            break;
          case 'read_it': {
            const waitMs = await readAndStore(origin, isResumed, signal);
            if (waitMs !== null) return { kind: 'wait', ms: waitMs };
            break;
          }
        }
      }
    },
  };

  /** @returns the wait in ms if the host is busy, else null */
  async function readAndStore(
    origin: string,
    isResumed: boolean,
    signal: AbortSignal,
  ): Promise<number | null> {
    const leave = () => releaseRobotsLock(database, origin).catch(() => {});
    const { host } = new URL(origin);
    const permit = await limiter.acquire(host, { gapMs, isResumed }, signal).catch(async (error) => {
      await leave();
      throw error;
    });
    if (permit.kind === 'wait') {
      await leave();
      return permit.ms;
    }
    let pauseMs = 0;
    try {
      const { reading, freshMs, ...asked } = await read(origin, signal);
      pauseMs = asked.pauseMs;
      logger.info('robots_read', { origin, ...reading, body: undefined });
      await retryWhileUnavailable([signal], logger, () => storeRobots(database, origin, reading, freshMs));
    } catch (error) {
      await leave();
      throw error;
    } finally {
      permit.release(pauseMs);
    }
    return null;
  }

  async function read(
    origin: string,
    signal: AbortSignal,
  ): Promise<{ reading: RobotsResult; freshMs: number; pauseMs: number }> {
    const request = { signal, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, maxRedirects: 5, acceptsCut: true };
    try {
      const { status, headers, body, cut } = await http.get(`${origin}/robots.txt`, request);
      if (cut && body.length === 0) throw cut;
      const pauseMs = retryAfterMs(status, headers) ?? 0;
      if (status === 429 || status >= 500) {
        const reading = { kind: 'unreachable', errorCode: UNREADABLE } as const;
        return { reading, freshMs: Math.max(FAILED_MS, pauseMs), pauseMs };
      }
      const isFile = status >= 200 && status < 300;
      const reading = isFile
        ? ({ kind: 'rules', body: body.subarray(0, MAX_ROBOTS_BYTES) } as const)
        : ({ kind: 'none' } as const);
      // The received part of a truncated file applies until the next fetch.
      return { reading, freshMs: cut ? FAILED_MS : FRESH_MS, pauseMs };
    } catch (error) {
      if (!(error instanceof PageFailure)) throw error;
      // More than five redirects count as no file (RFC 9309, 2.3.1.2).
      if (error.code === 'too_many_redirects')
        return { reading: { kind: 'none' }, freshMs: FRESH_MS, pauseMs: 0 };
      const errorCode = FILE_ERRORS.has(error.code) ? UNREADABLE : error.code;
      const freshMs = error.code === 'page_too_large' ? FAILED_MS : GONE_MS;
      return { reading: { kind: 'unreachable', errorCode }, freshMs, pauseMs: 0 };
    }
  }
}

/** Errors of the file itself, which say nothing about the site's pages. */
const FILE_ERRORS = new Set<PageErrorCode>(['page_too_large', 'unsupported_content']);

/** Approximate size: the characters, and an overhead per object. */
function sizeOf(answer: KnownAnswer): number {
  if (answer.kind === 'unreachable') return 100;
  const texts = [...answer.permissions.rules.map(({ pattern }) => pattern), ...answer.sitemaps];
  return texts.reduce((size, text) => size + text.length + 64, 100);
}

const UNREADABLE = 'robots_unreadable' satisfies PageErrorCode;

const errorOf = (code: string): ErrorInfo => pageError(code as PageErrorCode);
