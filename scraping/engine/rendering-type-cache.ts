import { LRUCache } from 'lru-cache';
import type { Logger } from '../../runtime/log/logger.ts';

/**
 * What the fleet has learned of hosts: whether their pages need a browser. Advice and nothing more, so neither asking nor telling
 * ever fails a page.
 */
export interface RenderingTypeCache {
  /** Null for a host nobody has anything to tell of. */
  get(host: string): Promise<RenderingType | null>;
  /** After a page for which both ways were tried. */
  record(host: string, verdict: Pick<RenderingType, 'engine' | 'reason'>): Promise<void>;
  /** Plain HTTP gave a whole page: news only where the host was thought to need more. */
  recordHttpSufficient(host: string): Promise<void>;
}

export interface RenderingType {
  engine: 'http' | 'browser';
  /** Why a browser was tried. */
  reason: string;
  /** How many times in a row it came out like this. */
  streak: number;
  /** Since the last time, in milliseconds. */
  ageMs: number;
}

/** Where the fleet keeps it; `host` is that of a URL, with its port where it names one. */
export interface RenderingTypeStore {
  find(host: string): Promise<RenderingType | null>;
  record(host: string, verdict: Pick<RenderingType, 'engine' | 'reason'>): Promise<void>;
}

const HOSTS = 10_000;
/** How long a process goes by what it was told, until it hears what others have learned. */
const CACHED_MS = 60_000;

export function createRenderingTypeCache(store: RenderingTypeStore, logger: Logger): RenderingTypeCache {
  const cache = new LRUCache<string, { verdict: RenderingType | null; at: number }>({
    max: HOSTS,
    ttl: CACHED_MS,
  });

  const get = async (host: string): Promise<RenderingType | null> => {
    let known = cache.get(host);
    if (!known) {
      known = { verdict: await store.find(host).catch(unreachable), at: performance.now() };
      cache.set(host, known);
    }
    const { verdict, at } = known;
    return verdict && { ...verdict, ageMs: verdict.ageMs + performance.now() - at };
  };
  const record: RenderingTypeCache['record'] = async (host, verdict) => {
    await store.record(host, verdict).catch(unreachable);
    cache.delete(host);
  };
  const unreachable = (error: unknown) => {
    logger.debug('render_memory_unreachable', { error });
    return null;
  };

  return {
    get,
    record,
    async recordHttpSufficient(host) {
      const known = await get(host);
      if (known?.engine === 'browser') await record(host, { engine: 'http', reason: 'whole_page' });
    },
  };
}
