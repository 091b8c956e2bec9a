import { isAggregatorSite, siteKey } from '../../../core/leads/domains.ts';
import type { SourceType } from '../../../core/leads/lead.ts';
import type { SearchResult } from './readings.ts';
import { unwrapRedirect } from './redirectors.ts';
import type { Candidate, LeadQuery, SourceAnswer, SourceContext } from './source.ts';

/** A search engine with paged results. The source `linkedin` finds profiles with one too. */
export interface SearchEngine {
  readonly name: SourceType;
  /** URL of the first page of results for this text. */
  first(text: string, query: LeadQuery): string;
  /** The reading of its result pages. It fails for a wall, an error, or an unknown layout. */
  readonly reading: 'google_page' | 'google_api' | 'bing' | 'duckduckgo' | 'searxng';
  headers?: Record<string, string>;
}

/** Result pages per query: later results are hardly relevant. */
const MAX_PAGES = 10;
const BETWEEN_PAGES_MS = 1000;

/**
 * The results of a search in order, distinct by URL. Fetches the next page only when the consumer
 * asks for more.
 */
export async function* searchResults(
  engine: SearchEngine,
  text: string,
  query: LeadQuery,
  context: SourceContext,
): AsyncGenerator<SearchResult> {
  const seen = new Set<string>();
  const asked = new Set<string>();
  let next: string | null = engine.first(text, query);
  for (let page = 0; next !== null && page < MAX_PAGES && !asked.has(next); page += 1) {
    if (page > 0) await pause(BETWEEN_PAGES_MS, context.signal);
    asked.add(next);
    const answer: SourceAnswer = await context.fetch(next, engine.headers ? { headers: engine.headers } : {});
    const read = await context.read(engine.reading, answer);
    let isNew = false;
    for (const { url, title } of read.results) {
      const target = unwrapRedirect(url, answer.url);
      if (target === null || seen.has(target)) continue;
      seen.add(target);
      isNew = true;
      yield { url: target, title };
    }
    // Some engines repeat the last page when asked for one after it.
    if (!isNew) return;
    next = read.next;
  }
}

/** The distinct sites among the results, without those about many businesses. */
export async function* discoverSites(
  engine: SearchEngine,
  query: LeadQuery,
  context: SourceContext,
): AsyncGenerator<Candidate> {
  const sites = new Set<string>();
  for await (const { url } of searchResults(engine, query.text, query, context)) {
    if (sites.size >= query.limit) return;
    const key = siteKey(url);
    if (key === null || sites.has(key) || isAggregatorSite(url)) continue;
    sites.add(key);
    // The title of a result is a truncated page title, no reliable name.
    yield { source: engine.name, url, name: null, observations: [] };
  }
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
