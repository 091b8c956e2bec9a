import { type Address, addressOf, keyOfAddress, splitAddress } from './address.ts';
import { HostQueues } from './host-queues.ts';
import type { CrawlScope } from './scope.ts';
import { createBudgets, looksEndless } from './traps.ts';

/**
 * What became of an address. `waiting` is the only one that is still to be visited.
 *   done        its page is stored, be it with an error
 *   duplicate   its content, or where it redirects to, is stored under another address
 *   disallowed  by robots.txt
 *   outside     it led out of the crawl's bounds
 */
export type AddressState = 'waiting' | 'done' | 'duplicate' | 'disallowed' | 'outside';

export interface Entry {
  /** The order of discovery, and the page's place in the job. */
  position: number;
  url: string;
  /** Links from a seed. */
  depth: number;
  patternDepth: number;
  /** Visits that failed for a reason that may pass. */
  tries: number;
  /** Of the page, or until that is known the text of the first link to it. */
  title: string | null;
}

export interface FoundLink {
  url: string;
  text?: string;
}

/**
 * The known addresses of a crawl, and which comes next: breadth first; of one depth hosts take turns, each in the order of discovery.
 * Pure: the crawl stores what is found, and restores it from that.
 */
export class Frontier {
  readonly #positions = new Map<string, number>();
  /** By position. What is not here any more is passed over in the queues. */
  readonly #waiting: (Entry | undefined)[] = [];
  #waitingCount = 0;
  readonly #queuesByDepth: HostQueues<Entry>[] = [];
  readonly #budgets = createBudgets();
  readonly #hashes = new Set<string>();
  #next = 0;

  constructor(
    private readonly options: {
      scope: CrawlScope;
      maxDepth: number /** Of known addresses. */;
      maxKnown: number;
    },
  ) {}

  get known(): number {
    return this.#positions.size;
  }

  get waiting(): number {
    return this.#waitingCount;
  }

  /** Takes an address as it was stored. In order of position. */
  restore(entry: Entry, state: AddressState, contentHash: string | null): void {
    this.#positions.set(keyOfAddress(entry.url), entry.position);
    this.#next = Math.max(this.#next, entry.position + 1);
    // So that the budgets know of it; it was admitted once.
    this.#budgets.admit(entry.url, null);
    if (contentHash) this.#hashes.add(contentHash);
    if (state === 'waiting') this.putBack(entry);
  }

  /** Takes a seed, which needs to be in no bounds; null where it is known. */
  addSeed(url: string): Entry | null {
    const address = addressOf(url);
    return address && this.#add(address, 0, 0, '');
  }

  /** Takes what a page links to, or a sitemap lists (`from` null); returns what is new and to be visited. */
  addLinks(links: Iterable<FoundLink>, from: Entry | null): Entry[] {
    const depth = (from?.depth ?? 0) + 1;
    if (depth > this.options.maxDepth) return [];
    const found: Entry[] = [];
    for (const link of links) {
      if (this.known >= this.options.maxKnown) break;
      const address = addressOf(link.url);
      if (!address || this.#positions.has(address.key)) continue;
      if (looksEndless(address.url) || !this.options.scope.includes(address.url)) continue;
      const patternDepth = this.#budgets.admit(address.url, from);
      const entry = patternDepth === null ? null : this.#add(address, depth, patternDepth, link.text);
      if (entry) found.push(entry);
    }
    return found;
  }

  #add({ url, key }: Address, depth: number, patternDepth: number, text = ''): Entry | null {
    if (this.#positions.has(key)) return null;
    const entry: Entry = { position: this.#next, url, depth, patternDepth, tries: 0, title: text || null };
    this.#next += 1;
    this.#positions.set(key, entry.position);
    this.putBack(entry);
    return entry;
  }

  /** The next to visit; null if none waits, or only at these hosts. */
  take(exceptHosts: { has(host: string): boolean } = new Set()): Entry | null {
    for (const queues of this.#queuesByDepth) {
      for (let entry = queues?.take(exceptHosts); entry; entry = queues?.take(exceptHosts)) {
        if (this.#waiting[entry.position] === entry) return this.#remove(entry);
      }
    }
    return null;
  }

  /** It could not be visited now. */
  putBack(entry: Entry): void {
    let queues = this.#queuesByDepth[entry.depth];
    if (!queues) {
      queues = new HostQueues();
      this.#queuesByDepth[entry.depth] = queues;
    }
    queues.push(splitAddress(entry.url).host, entry);
    this.#waiting[entry.position] = entry;
    this.#waitingCount += 1;
  }

  #remove(entry: Entry): Entry {
    this.#waiting[entry.position] = undefined;
    this.#waitingCount -= 1;
    return entry;
  }

  /**
   * Whether this content was there before under another address; from now on it was.
   *
   * @param contentHash null for a page that says too little to be told from others
   */
  isKnownContent(contentHash: string | null): boolean {
    if (contentHash === null) return false;
    if (this.#hashes.has(contentHash)) return true;
    this.#hashes.add(contentHash);
    return false;
  }

  /**
   * Whether a page that was redirected ended where another visit begins or began; from now on one did.
   *
   * @returns true if the page is known already; the entry that need not be visited any more; or null
   */
  arriveAt(entry: Entry, finalUrl: string): true | Entry | null {
    const address = addressOf(finalUrl);
    if (!address || address.key === keyOfAddress(entry.url)) return null;
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
