import { collapseSpaces, parsePage, select } from '../../extraction/document/dom.ts';
import { requireOk, sourceError } from './errors.ts';
import type { ResultPage } from './readings.ts';
import { discoverSites, type SearchEngine } from './search-results.ts';
import type { Source, SourceAnswer } from './source.ts';

/** Bing's result page. */
export function createBing({ url }: { url: string }): Source {
  const engine = bingEngine(url);
  return { name: 'bing', discover: (query, context) => discoverSites(engine, query, context) };
}

const bingEngine = (base: string): SearchEngine => ({
  name: 'bing',
  headers: { 'accept-language': 'en' },
  first: (text, { country }) => {
    const url = new URL('/search', base);
    url.search = new URLSearchParams({
      q: text,
      count: '20',
      ...(country ? { cc: country } : {}),
    }).toString();
    return url.href;
  },
  reading: 'bing',
});

export function readBingPage(answer: SourceAnswer): ResultPage {
  if (
    /id="b_captcha"|challenges\.cloudflare\.com|\/turing\/captcha|<title>\s*One last step/i.test(answer.body)
  ) {
    throw sourceError('bing', 'source_captcha', 'it wants to see a human instead of giving results');
  }
  requireOk('bing', answer);
  const document = parsePage(answer.body, answer.url);
  const results = select(document, '#b_results > li.b_algo').flatMap((entry) => {
    const anchor = entry.querySelector('h2 a[href]');
    return anchor
      ? [{ url: anchor.getAttribute('href') ?? '', title: collapseSpaces(anchor.textContent) }]
      : [];
  });
  if (results.length === 0 && !document.querySelector('#b_results .b_no')) {
    throw sourceError('bing', 'source_unreadable', 'its result page is not one that is known here');
  }
  return { results, next: document.querySelector('a.sb_pagN')?.getAttribute('href') ?? null };
}
