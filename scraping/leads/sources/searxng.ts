import { readJson, requireOk, sourceError } from './errors.ts';
import type { ResultPage } from './readings.ts';
import { discoverSites, type SearchEngine } from './search-results.ts';
import type { Source, SourceAnswer } from './source.ts';

/**
 * A SearXNG instance by its JSON API, which must be enabled under `search.formats` in its
 * settings.yml.
 */
export function createSearxng({ url }: { url: string | undefined }): Source {
  return {
    name: 'searxng',
    async *discover(query, context) {
      if (!url) throw sourceError('searxng', 'source_not_configured', 'set SEARXNG_URL to your instance');
      yield* discoverSites(searxngEngine(url), query, context);
    },
  };
}

export const searxngEngine = (base: string): SearchEngine => ({
  name: 'searxng',
  headers: { accept: 'application/json' },
  first: (text) => {
    // The base URL may have a path.
    const url = new URL('search', base.endsWith('/') ? base : `${base}/`);
    url.search = new URLSearchParams({ q: text, format: 'json', pageno: '1' }).toString();
    return url.href;
  },
  reading: 'searxng',
});

function nextPageUrl(address: string): string {
  const url = new URL(address);
  url.searchParams.set('pageno', String(Number(url.searchParams.get('pageno') ?? 1) + 1));
  return url.href;
}

export function readSearxng(answer: SourceAnswer): ResultPage {
  if (answer.status === 403) {
    throw sourceError(
      'searxng',
      'source_denied',
      'it does not answer in JSON; add `json` to search.formats in its settings.yml',
    );
  }
  requireOk('searxng', answer);
  const { results, unresponsive_engines: silent } = readJson('searxng', answer);
  if (!Array.isArray(results)) {
    throw sourceError('searxng', 'source_unreadable', 'its answer holds no results');
  }
  if (results.length === 0 && Array.isArray(silent) && silent.length > 0) {
    const names = silent.map((engine) => (Array.isArray(engine) ? engine.join(': ') : String(engine)));
    throw sourceError(
      'searxng',
      'source_unavailable',
      `none of its engines answered (${names.slice(0, 5).join(', ')})`,
    );
  }
  return {
    results: results.flatMap((result: { url?: unknown; title?: unknown } | null) =>
      typeof result?.url === 'string' ? [{ url: result.url, title: String(result.title ?? '') }] : [],
    ),
    next: results.length > 0 ? nextPageUrl(answer.url) : null,
  };
}
