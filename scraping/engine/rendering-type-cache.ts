import { LRUCache } from 'lru-cache';
import type { Logger } from '../../runtime/log/logger.ts';

/**
 * Which engine the pages of a host need, shared by all workers and cached per process. Advice only:
 * a failed read or write never fails a page.
 */
export interface RenderingTypeCache {
  /** Null for an unknown host. */
  get(host: string): Promise<RenderingType | null>;
  /** Records the result of a page for which both engines were tried. */
  record(host: string, renderingType: Pick<RenderingType, 'engine' | 'reason'>): Promise<void>;
  /** Plain HTTP gave a complete page. Written only if the host is recorded as needing a browser. */
  recordHttpSufficient(host: string): Promise<void>;
}

export interface RenderingType {
  engine: 'http' | 'browser';
  /** Why a browser was tried. */
  reason: string;
  /** Consecutive pages with this result. */
  streak: number;
  /** Milliseconds since the last of them. */
  ageMs: number;
}

/** The shared store; `host` is a URL's host, with its port if it names one. */
export interface RenderingTypeStore {
  find(host: string): Promise<RenderingType | null>;
  record(host: string, renderingType: Pick<RenderingType, 'engine' | 'reason'>): Promise<void>;
}

const HOSTS = 10_000;
/** How long a process uses a cached record before it reads the shared one again. */
const CACHED_MS = 60_000;

export function createRenderingTypeCache(store: RenderingTypeStore, logger: Logger): RenderingTypeCache {
  const cache = new LRUCache<string, { renderingType: RenderingType | null; at: number }>({
    max: HOSTS,
    ttl: CACHED_MS,
  });

  const get = async (host: string): Promise<RenderingType | null> => {
    let known = cache.get(host);
    if (!known) {
      known = { renderingType: await store.find(host).catch(unreachable), at: performance.now() };
      cache.set(host, known);
    }
    const { renderingType, at } = known;
    return renderingType && { ...renderingType, ageMs: renderingType.ageMs + performance.now() - at };
  };
  const record: RenderingTypeCache['record'] = async (host, renderingType) => {
    await store.record(host, renderingType).catch(unreachable);
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
