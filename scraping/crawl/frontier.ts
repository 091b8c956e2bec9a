import { HostQueues } from './host-queues.ts';
import { type NormalizedUrl, normalizeUrl, splitUrl, urlKey } from './normalized-url.ts';
import type { CrawlScope } from './scope.ts';
import { createBudgets, looksEndless } from './traps.ts';

/**
 * State of a URL in the crawl. Only `waiting` is still to be fetched.
 *   done        its page is stored, possibly with an error
 *   duplicate   its content or redirect target is stored under another URL
 *   disallowed  by robots.txt
 *   outside     it redirected out of the crawl's scope
 */
export type UrlState = 'waiting' | 'done' | 'duplicate' | 'disallowed' | 'outside';

export interface Entry {
  /** Order of discovery, and the page's position in the job. */
  position: number;
  url: string;
  /** Number of links from a seed. */
  depth: number;
  patternDepth: number;
  /** Fetches that failed with a retryable error. */
  tries: number;
  /** Title of the page; before it is fetched, the text of the first link to it. */
  title: string | null;
  /** The link to it was on a duplicate. Not persisted. */
  afterDuplicate?: boolean;
}

/** Why the frontier refuses a link on the crawl's site. */
export type RefusalReason = 'too_deep' | 'trap' | 'too_many';

/** Of these, URLs are counted once each; above it, every mention. */
const MOST_REFUSED_REMEMBERED = 50_000;

export interface FoundLink {
  url: string;
  text?: string;
}

/**
 * The known URLs of a crawl and their order: breadth first; within a depth round robin over hosts,
 * each in order of discovery. In memory only: the crawl persists the entries and restores the
 * frontier from them.
 */
export class Frontier {
  readonly #positions = new Map<string, number>();
  /** By position. Entries removed here are skipped in the queues. */
  readonly #waiting: (Entry | undefined)[] = [];
  #waitingCount = 0;
  readonly #queuesByDepth: HostQueues<Entry>[] = [];
  readonly #budgets = createBudgets();
  readonly #hashes = new Set<string>();
  readonly #refused = new Map<string, RefusalReason>();
  readonly #refusals: Record<RefusalReason, number> = { too_deep: 0, trap: 0, too_many: 0 };
  #next = 0;

  constructor(
    private readonly options: {
      scope: CrawlScope;
      maxDepth: number;
      /** Limit for known URLs. */
      maxKnown: number;
    },
  ) {}

  get known(): number {
    return this.#positions.size;
  }

  get waiting(): number {
    return this.#waitingCount;
  }

  /** Links that `addLinks` refused, since this frontier was created. */
  get refusals(): Readonly<Record<RefusalReason, number>> {
    return this.#refusals;
  }

  /** Restores a stored URL. Call in order of position. */
  restore(entry: Entry, state: UrlState, contentHash: string | null): void {
    this.#positions.set(urlKey(entry.url), entry.position);
    this.#next = Math.max(this.#next, entry.position + 1);
    // Counts it in the budgets; it was admitted before.
    this.#budgets.admit(entry.url, null);
    for (const hash of hashesIn(contentHash)) this.#hashes.add(hash);
    if (state === 'waiting') this.putBack(entry);
  }

  /** Adds a seed, in scope or not; null if it is known. */
  addSeed(url: string): Entry | null {
    const address = normalizeUrl(url);
    return address && !this.#positions.has(address.key) ? this.#add(address, 0, 0) : null;
  }

  /**
   * Adds the links of a page, or of a sitemap (`from` null).
   *
   * @param afterDuplicate whether the page is a duplicate
   * @returns the new entries
   */
  addLinks(links: Iterable<FoundLink>, from: Entry | null, afterDuplicate = false): Entry[] {
    const depth = (from?.depth ?? 0) + 1;
    const found: Entry[] = [];
    for (const link of links) {
      const address = normalizeUrl(link.url);
      if (!address || this.#positions.has(address.key) || !this.options.scope.includes(address.url)) continue;
      const entry = this.#admit(address, depth, from, link.text);
      if (typeof entry === 'string') this.#refuse(address.key, entry);
      else found.push(afterDuplicate ? Object.assign(entry, { afterDuplicate }) : entry);
    }
    return found;
  }

  #admit(address: NormalizedUrl, depth: number, from: Entry | null, text?: string): Entry | RefusalReason {
    if (depth > this.options.maxDepth) return 'too_deep';
    if (this.known >= this.options.maxKnown) return 'too_many';
    if (looksEndless(address.url)) return 'trap';
    const patternDepth = this.#budgets.admit(address.url, from);
    return patternDepth === null ? 'trap' : this.#add(address, depth, patternDepth, text);
  }

  #refuse(key: string, reason: RefusalReason): void {
    if (this.#refused.has(key)) return;
    if (this.#refused.size < MOST_REFUSED_REMEMBERED) this.#refused.set(key, reason);
    this.#refusals[reason] += 1;
  }

  #add({ url, key }: NormalizedUrl, depth: number, patternDepth: number, text = ''): Entry {
    const entry: Entry = { position: this.#next, url, depth, patternDepth, tries: 0, title: text || null };
    this.#next += 1;
    this.#positions.set(key, entry.position);
    // Refused on another page, which was deeper.
    const reason = this.#refused.get(key);
    if (reason && this.#refused.delete(key)) this.#refusals[reason] -= 1;
    this.putBack(entry);
    return entry;
  }

  /** The next entry to fetch; null if none waits, or only at these hosts. */
  take(exceptHosts: { has(host: string): boolean } = new Set()): Entry | null {
    for (const queues of this.#queuesByDepth) {
      for (let entry = queues?.take(exceptHosts); entry; entry = queues?.take(exceptHosts)) {
        if (this.#waiting[entry.position] === entry) return this.#remove(entry);
      }
    }
    return null;
  }

  /** Returns an entry that could not be fetched now. */
  putBack(entry: Entry): void {
    let queues = this.#queuesByDepth[entry.depth];
    if (!queues) {
      queues = new HostQueues();
      this.#queuesByDepth[entry.depth] = queues;
    }
    queues.push(splitUrl(entry.url).host, entry);
    this.#waiting[entry.position] = entry;
    this.#waitingCount += 1;
  }

  #remove(entry: Entry): Entry {
    this.#waiting[entry.position] = undefined;
    this.#waitingCount -= 1;
    return entry;
  }

  /**
   * Whether this content is known from another URL; records it if not.
   *
   * @param contentHash see `contentHashOf`; null for a page without content to compare
   */
  isKnownContent(contentHash: string | null): boolean {
    const hashes = hashesIn(contentHash);
    if (hashes.some((hash) => this.#hashes.has(hash))) return true;
    for (const hash of hashes) this.#hashes.add(hash);
    return false;
  }

  /**
   * Records the final URL of a redirected page and checks whether another entry has that URL.
   *
   * @returns true if that entry is fetched already; the entry, now removed, if it was waiting; or
   *   null
   */
  arriveAt(entry: Entry, finalUrl: string): true | Entry | null {
    const address = normalizeUrl(finalUrl);
    if (!address || address.key === urlKey(entry.url)) return null;
    const position = this.#positions.get(address.key);
    if (position === undefined) {
      this.#positions.set(address.key, entry.position);
      return null;
    }
    if (position === entry.position) return null;
    const other = this.#waiting[position];
    return other ? this.#remove(other) : true;
  }
}

/** A content hash consists of hashes of 32 digits; content is the same if one of them is. */
const hashesIn = (contentHash: string | null): string[] => contentHash?.match(/.{1,32}/g) ?? [];
