import { collapseSpaces, parsePage, select } from '../../extraction/document/dom.ts';
import { requireOk, sourceError } from './errors.ts';
import type { ResultPage } from './readings.ts';
import { discoverSites, type SearchEngine } from './search-results.ts';
import type { Source, SourceAnswer } from './source.ts';

/** DuckDuckGo by its HTML page without scripts. */
export function createDuckDuckGo({ url }: { url: string }): Source {
  const engine = duckDuckGoEngine(url);
  return { name: 'duckduckgo', discover: (query, context) => discoverSites(engine, query, context) };
}

export const duckDuckGoEngine = (base: string): SearchEngine => ({
  name: 'duckduckgo',
  first: (text) => {
    const url = new URL('/html/', base);
    url.search = new URLSearchParams({ q: text }).toString();
    return url.href;
  },
  reading: 'duckduckgo',
});

/**
 * The URL of the Next button: its form's hidden fields select the next results. A Previous form may
 * exist too.
 */
function nextPageUrl(document: Document, url: string): string | null {
  const form = select(document, '.nav-link form').find((candidate) =>
    candidate.querySelector('input[type="submit"][value="Next"]'),
  );
  if (!form) return null;
  const next = new URL('/html/', url);
  for (const input of select(form, 'input[type="hidden"][name]')) {
    next.searchParams.set(input.getAttribute('name') ?? '', input.getAttribute('value') ?? '');
  }
  return next.href;
}

export function readDuckDuckGoPage(answer: SourceAnswer): ResultPage {
  if (/anomaly-modal|id="challenge-form"|bots use DuckDuckGo too/i.test(answer.body)) {
    throw sourceError('duckduckgo', 'source_captcha', 'it wants to see a human instead of giving results');
  }
  requireOk('duckduckgo', answer);
  const document = parsePage(answer.body, answer.url);
  const results = select(document, '.result:not(.result--ad) a.result__a').map((anchor) => ({
    url: anchor.getAttribute('href') ?? '',
    title: collapseSpaces(anchor.textContent),
  }));
  if (results.length === 0 && !document.querySelector('.no-results, .result--no-result')) {
    throw sourceError('duckduckgo', 'source_unreadable', 'its result page is not one that is known here');
  }
  return { results, next: nextPageUrl(document, answer.url) };
}
