import { LRUCache } from 'lru-cache';
import type { Logger } from '../../runtime/log/logger.ts';

/**
 * What the fleet has learned of hosts: whether their pages need a browser. Advice and nothing more, so neither asking nor telling
 * ever fails a page.
 */
export interface RenderMemory {
  /** Null for a host nobody has anything to tell of. */
  recall(host: string): Promise<RenderVerdict | null>;
  /** After a page for which both ways were tried. */
  remember(host: string, verdict: Pick<RenderVerdict, 'engine' | 'reason'>): Promise<void>;
  /** Plain HTTP gave a whole page: news only where the host was thought to need more. */
  sawEnough(host: string): Promise<void>;
}

export interface RenderVerdict {
  engine: 'http' | 'browser';
  /** Why a browser was tried. */
  reason: string;
  /** How many times in a row it came out like this. */
  streak: number;
  /** Since the last time, in milliseconds. */
  ageMs: number;
}

/** Where the fleet keeps it; `host` is that of a URL, with its port where it names one. */
export interface RenderVerdictStore {
  find(host: string): Promise<RenderVerdict | null>;
  record(host: string, verdict: Pick<RenderVerdict, 'engine' | 'reason'>): Promise<void>;
}

const HOSTS = 10_000;
/** How long a process goes by what it was told, until it hears what others have learned. */
const CACHED_MS = 60_000;

export function createRenderMemory(store: RenderVerdictStore, logger: Logger): RenderMemory {
  const cache = new LRUCache<string, { verdict: RenderVerdict | null; at: number }>({
    max: HOSTS,
    ttl: CACHED_MS,
  });

  const recall = async (host: string): Promise<RenderVerdict | null> => {
    let known = cache.get(host);
    if (!known) {
      known = { verdict: await store.find(host).catch(unreachable), at: performance.now() };
      cache.set(host, known);
    }
    const { verdict, at } = known;
    return verdict && { ...verdict, ageMs: verdict.ageMs + performance.now() - at };
  };
  const remember: RenderMemory['remember'] = async (host, verdict) => {
    await store.record(host, verdict).catch(unreachable);
    cache.delete(host);
  };
  const unreachable = (error: unknown) => {
    logger.debug('render_memory_unreachable', { error });
    return null;
  };

  return {
    recall,
    remember,
    async sawEnough(host) {
      const known = await recall(host);
      if (known?.engine === 'browser') await remember(host, { engine: 'http', reason: 'whole_page' });
    },
  };
}
