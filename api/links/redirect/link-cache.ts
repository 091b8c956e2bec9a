import { LRUCache } from 'lru-cache';
import { LINK_CODE } from '../../../core/links/link.ts';
import type { Sql } from '../../../db/connect.ts';
import { type EventCursor, findLedgerEnd } from '../../../db/events/events.ts';
import { findTarget, followLinks, type LinkTarget } from '../../../db/links/links.ts';
import { createLoop } from '../../../dispatch/loop.ts';
import type { Logger } from '../../../runtime/log/logger.ts';

/** Targets of short links, in memory. */
export interface LinkCache {
  /** The cached result; undefined if the database must be queried. */
  cached(code: string): Lookup | undefined;
  /** @throws if the database is away, or too many lookups are running */
  find(code: string): Promise<Lookup>;
  /** Drops a link that this process has changed, without waiting for the ledger. */
  forget(code: string): void;
  start(): void;
  stop(): Promise<void>;
}

export type Lookup = { kind: 'missing' } | { kind: 'expired' } | Target;
export interface Target {
  kind: 'target';
  code: string;
  link: LinkTarget;
  /** Headers of the redirect, ready to write. */
  headers: string[];
  /** Expiry, by `performance.now()`. */
  until: number;
}

interface Pending {
  answer: Promise<Lookup>;
  /** The link was changed meanwhile. */
  stale: boolean;
  /** It was created meanwhile. */
  created: boolean;
}

/** About 1 KB each. */
const MAX_CACHED = 50_000;
/** A cache of its own, so that guessed codes do not evict links in use. */
const MAX_MISSING = 20_000;
const MAX_PENDING = 1000;
/**
 * Delay of other processes' changes. A poll is one probe of an index that holds only link events.
 */
const POLL_MS = 200;

const MISSING: Lookup = { kind: 'missing' };
const EXPIRED: Lookup = { kind: 'expired' };

/**
 * Entries have no TTL: they stay until their link changes, so links in use keep working while the
 * database is away. Every process follows the ledger for changes by others, and resumes at its
 * cursor after an outage.
 */
export function createLinkCache(options: {
  sql: Sql;
  logger: Logger;
  /** The redirect's `Location`. */
  locationOf(link: LinkTarget, code: string): string;
}): LinkCache {
  const { sql, logger } = options;
  const found = new LRUCache<string, Target>({ max: MAX_CACHED });
  const missing = new LRUCache<string, true>({ max: MAX_MISSING });
  const pending = new Map<string, Pending>();
  let cursor: EventCursor | undefined;
  let findingCursor: Promise<void> | undefined;

  /** Nothing is cached without a cursor to follow from, so the first lookup does not wait for the loop. */
  const ensureCursor = async (): Promise<EventCursor> => {
    while (!cursor) {
      findingCursor ??= findLedgerEnd(sql)
        .then(({ end }) => {
          cursor = end;
        })
        .finally(() => {
          findingCursor = undefined;
        });
      await findingCursor;
    }
    return cursor;
  };
  const cached = (code: string): Lookup | undefined => {
    const entry = found.get(code);
    if (entry) return entry.until > performance.now() ? entry : EXPIRED;
    return missing.has(code) || !LINK_CODE.test(code) ? MISSING : undefined;
  };
  const query = async (code: string): Promise<Lookup> => {
    await ensureCursor();
    const link = await findTarget(sql, code);
    // The row may be older than a concurrent change: valid for this answer, not cached.
    const { stale: mayBeOld = false, created = false } = pending.get(code) ?? {};
    if (!link) {
      if (!mayBeOld && !created) missing.set(code, true);
      return MISSING;
    }
    const entry: Target = {
      kind: 'target',
      code,
      link,
      headers: headersOf(options.locationOf(link, code)),
      until: performance.now() + (link.expires_in_ms ?? Number.POSITIVE_INFINITY),
    };
    if (!mayBeOld) found.set(code, entry);
    return entry.until > performance.now() ? entry : EXPIRED;
  };
  const forget = (code: string) => {
    found.delete(code);
    missing.delete(code);
    const lookup = pending.get(code);
    if (lookup) lookup.stale = true;
  };
  // Codes are never reused, so a link that is known or being looked up is current: it stays, and an
  // outage that begins now does not end it.
  const learnOf = (code: string) => {
    missing.delete(code);
    const lookup = pending.get(code);
    if (lookup) lookup.created = true;
  };

  const loop = createLoop({
    name: 'links',
    logger,
    step: async () => {
      const { changes, settled } = await followLinks(sql, await ensureCursor());
      cursor = settled;
      for (const { code, created } of changes) {
        if (created) learnOf(code);
        else forget(code);
      }
      return POLL_MS;
    },
  });

  return {
    cached,
    find: (code) => {
      let lookup = pending.get(code);
      if (!lookup) {
        if (pending.size >= MAX_PENDING) return Promise.reject(new Error('too many links are looked up'));
        lookup = {
          answer: query(code).finally(() => pending.delete(code)),
          ...{ stale: false, created: false },
        };
        pending.set(code, lookup);
      }
      return lookup.answer;
    },
    forget,
    start: loop.start,
    stop: loop.stop,
  };
}

/** Not cached by browsers, so that each click counts and a changed target applies at once. */
export const headersOf = (location: string): string[] => [
  ...['location', location],
  ...['cache-control', 'no-store'],
  ...['x-robots-tag', 'noindex'],
  ...['content-length', '0'],
];
