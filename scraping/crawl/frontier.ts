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
}

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

  /** Restores a stored URL. Call in order of position. */
  restore(entry: Entry, state: UrlState, contentHash: string | null): void {
    this.#positions.set(urlKey(entry.url), entry.position);
    this.#next = Math.max(this.#next, entry.position + 1);
    // Counts it in the budgets; it was admitted before.
    this.#budgets.admit(entry.url, null);
    if (contentHash) this.#hashes.add(contentHash);
    if (state === 'waiting') this.putBack(entry);
  }

  /** Adds a seed, in scope or not; null if it is known. */
  addSeed(url: string): Entry | null {
    const address = normalizeUrl(url);
    return address && this.#add(address, 0, 0, '');
  }

  /** Adds the links of a page, or of a sitemap (`from` null). @returns the new entries */
  addLinks(links: Iterable<FoundLink>, from: Entry | null): Entry[] {
    const depth = (from?.depth ?? 0) + 1;
    if (depth > this.options.maxDepth) return [];
    const found: Entry[] = [];
    for (const link of links) {
      if (this.known >= this.options.maxKnown) break;
      const address = normalizeUrl(link.url);
      if (!address || this.#positions.has(address.key)) continue;
      if (looksEndless(address.url) || !this.options.scope.includes(address.url)) continue;
      const patternDepth = this.#budgets.admit(address.url, from);
      const entry = patternDepth === null ? null : this.#add(address, depth, patternDepth, link.text);
      if (entry) found.push(entry);
    }
    return found;
  }

  #add({ url, key }: NormalizedUrl, depth: number, patternDepth: number, text = ''): Entry | null {
    if (this.#positions.has(key)) return null;
    const entry: Entry = { position: this.#next, url, depth, patternDepth, tries: 0, title: text || null };
    this.#next += 1;
    this.#positions.set(key, entry.position);
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
   * @param contentHash null for a page with too little content to compare
   */
  isKnownContent(contentHash: string | null): boolean {
    if (contentHash === null) return false;
    if (this.#hashes.has(contentHash)) return true;
    this.#hashes.add(contentHash);
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
