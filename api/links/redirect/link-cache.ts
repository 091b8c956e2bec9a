import { LRUCache } from 'lru-cache';
import { LINK_CODE } from '../../../core/links/link.ts';
import type { Sql } from '../../../db/connect.ts';
import { type EventCursor, findLedgerEnd } from '../../../db/events/events.ts';
import { findTarget, followLinks, type LinkTarget } from '../../../db/links/links.ts';
import { createLoop } from '../../../dispatch/loop.ts';
import type { Logger } from '../../../runtime/log/logger.ts';

/** Where codes lead, kept in memory. */
export interface LinkCache {
  /** What is known without asking; undefined where the database must be asked. */
  known(code: string): Lookup | undefined;
  /** @throws where the database is away, or too many ask at once */
  find(code: string): Promise<Lookup>;
  /** Was changed by this process, which need not wait to be told. */
  forget(code: string): void;
  start(): void;
  stop(): Promise<void>;
}

export type Lookup = { kind: 'missing' } | { kind: 'expired' } | Target;
export interface Target {
  kind: 'target';
  code: string;
  link: LinkTarget;
  /** Of the answer, ready to be written. */
  headers: string[];
  /** By `performance.now()`. */
  until: number;
}

/** About 1 KB each. */
const MAX_KNOWN = 50_000;
/** Apart from the others, so that whoever tries codes does not push out those in use. */
const MAX_MISSING = 20_000;
const MAX_ASKING = 1000;
/** Others' changes are heard of this soon: one probe of an index that holds nothing but links. */
const POLL_MS = 200;

const MISSING: Lookup = { kind: 'missing' };
const EXPIRED: Lookup = { kind: 'expired' };

/**
 * Entries have no age: they stand until their link changes, so that links in use work on while the database is away. Every process
 * follows the ledger for what others change, and goes on where it was after an outage.
 */
export function createLinkCache(options: {
  sql: Sql;
  logger: Logger;
  /** Where the visitor is sent. */
  locationOf(link: LinkTarget, code: string): string;
}): LinkCache {
  const { sql, logger } = options;
  const found = new LRUCache<string, Target>({ max: MAX_KNOWN });
  const missing = new LRUCache<string, true>({ max: MAX_MISSING });
  const asking = new Map<string, { answer: Promise<Lookup>; stale: boolean }>();
  let place: EventCursor | undefined;

  const known = (code: string): Lookup | undefined => {
    const entry = found.get(code);
    if (entry) return entry.until > performance.now() ? entry : EXPIRED;
    return missing.has(code) || !LINK_CODE.test(code) ? MISSING : undefined;
  };
  const ask = async (code: string): Promise<Lookup> => {
    const link = await findTarget(sql, code);
    // What was read may be older than a change that was told meanwhile: good for this answer, but not kept.
    const keeps = place !== undefined && asking.get(code)?.stale !== true;
    if (!link) {
      if (keeps) missing.set(code, true);
      return MISSING;
    }
    const entry: Target = {
      kind: 'target',
      code,
      link,
      headers: headersOf(options.locationOf(link, code)),
      until: performance.now() + (link.expires_in_ms ?? Number.POSITIVE_INFINITY),
    };
    if (keeps) found.set(code, entry);
    return entry.until > performance.now() ? entry : EXPIRED;
  };
  const forget = (code: string) => {
    found.delete(code);
    missing.delete(code);
    const under = asking.get(code);
    if (under) under.stale = true;
  };

  const loop = createLoop({
    name: 'links',
    logger,
    step: async () => {
      // Nothing is kept until there is a place to follow from.
      place ??= (await findLedgerEnd(sql)).end;
      const { changes, settled } = await followLinks(sql, place);
      place = settled;
      for (const { code, created } of changes) {
        // No code is given twice: what is known of this one already is it, and stays should the database go away now.
        if (!created || !found.has(code)) forget(code);
      }
      return POLL_MS;
    },
  });

  return {
    known,
    find: (code) => {
      let under = asking.get(code);
      if (!under) {
        if (asking.size >= MAX_ASKING) return Promise.reject(new Error('too many links are looked up'));
        under = { answer: ask(code).finally(() => asking.delete(code)), stale: false };
        asking.set(code, under);
      }
      return under.answer;
    },
    forget,
    start: loop.start,
    stop: loop.stop,
  };
}

/** Not kept by browsers: each visit is counted, and a changed link leads elsewhere at once. */
export const headersOf = (location: string): string[] => [
  ...['location', location],
  ...['cache-control', 'no-store'],
  ...['x-robots-tag', 'noindex'],
  ...['content-length', '0'],
];
