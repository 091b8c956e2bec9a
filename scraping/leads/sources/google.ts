import { collapseSpaces, parsePage, select } from '../../extraction/document/dom.ts';
import { readJson, requireOk, sourceError } from './errors.ts';
import type { ResultPage } from './readings.ts';
import { discoverSites, type SearchEngine } from './search-results.ts';
import type { Source, SourceAnswer } from './source.ts';

export interface GoogleOptions {
  /** Base URL of the result pages, such as `https://www.google.com`. */
  url: string;
  /**
   * Base URL of the Programmable Search JSON API, such as `https://customsearch.googleapis.com`.
   */
  apiUrl: string;
  /** Key of the API; without key and `cx` the result page is read. */
  apiKey: string | undefined;
  cx: string | undefined;
}

/**
 * Google by its Programmable Search API if there is a key, else by its result page, which it shows
 * to programs less and less.
 */
export function createGoogle(options: GoogleOptions): Source {
  const engine = googleEngine(options);
  return { name: 'google', discover: (query, context) => discoverSites(engine, query, context) };
}

export const googleEngine = (options: GoogleOptions): SearchEngine =>
  options.apiKey && options.cx
    ? apiEngine({ ...options, apiKey: options.apiKey, cx: options.cx })
    : pageEngine(options.url);

/** Limits of the API: ten results per page, a hundred in total. */
const API_PAGE = 10;
const API_RESULTS = 100;

function apiEngine({ apiUrl, apiKey, cx }: { apiUrl: string; apiKey: string; cx: string }): SearchEngine {
  return {
    name: 'google',
    first: (text, { country }) => {
      const url = new URL('/customsearch/v1', apiUrl);
      url.search = new URLSearchParams({
        ...{ key: apiKey, cx, q: text, num: String(API_PAGE) },
        ...(country ? { gl: country.toLowerCase() } : {}),
      }).toString();
      return url.href;
    },
    reading: 'google_api',
  };
}

interface ApiAnswer {
  items?: { link?: unknown; title?: unknown }[];
  queries?: { nextPage?: { startIndex?: number }[] };
  error?: { code?: number; message?: string; errors?: { reason?: string }[] };
}

function withStart(address: string, start: number): string {
  const url = new URL(address);
  url.searchParams.set('start', String(start));
  return url.href;
}

function apiError(status: number, error: ApiAnswer['error']) {
  const reason = error?.errors?.[0]?.reason ?? '';
  const message = error?.message?.slice(0, 300) ?? `it answered ${status}`;
  const isQuota = status === 429 || /limit|quota/i.test(reason);
  if (isQuota) return sourceError('google', 'source_rate_limited', message);
  if (status >= 500) return sourceError('google', 'source_unavailable', message);
  return sourceError('google', 'source_denied', message);
}

function pageEngine(base: string): SearchEngine {
  return {
    name: 'google',
    headers: { 'accept-language': 'en' },
    first: (text, { country }) => {
      const url = new URL('/search', base);
      url.search = new URLSearchParams({
        ...{ q: text, num: '20', hl: 'en' },
        ...(country ? { gl: country.toLowerCase() } : {}),
      }).toString();
      return url.href;
    },
    reading: 'google_page',
  };
}

/** A result's link contains its heading. So does an advertisement's, in an area of its own. */
function isResult(anchor: Element): boolean {
  return (
    Boolean(anchor.querySelector('h3, .vvjwJb')) &&
    !anchor.closest('#tads, #tadsb, #bottomads, [data-text-ad]')
  );
}

/**
 * @throws `source_consent`, `source_captcha` or `source_rate_limited` if Google answers with a wall
 *   instead of results
 */
function requireNoWall({ url, status, body }: { url: string; status: number; body: string }): void {
  const { hostname, pathname } = new URL(url);
  if (
    hostname.startsWith('consent.') ||
    /<form[^>]{1,500}action="https:\/\/consent\.[^"]{1,200}\/save"/i.test(body)
  ) {
    throw sourceError(
      'google',
      'source_consent',
      'it shows its consent page instead of results; use GOOGLE_API_KEY and GOOGLE_CX, or another source',
    );
  }
  const isCaptcha =
    pathname.startsWith('/sorry') ||
    /id="captcha-form"|unusual traffic from your computer network|\/httpservice\/retry\/enablejs/i.test(body);
  if (isCaptcha) {
    throw sourceError(
      'google',
      'source_captcha',
      'it wants to see a human instead of giving results; use GOOGLE_API_KEY and GOOGLE_CX, or another source',
    );
  }
  if (status === 429) throw sourceError('google', 'source_rate_limited', 'it asks for fewer requests');
}

export function readGoogleApi(answer: SourceAnswer): ResultPage {
  // Proxies in front of the API answer errors with HTML.
  if (answer.status >= 500) requireOk('google', answer);
  const json = readJson('google', answer) as ApiAnswer;
  if (json.error || answer.status >= 400) throw apiError(answer.status, json.error);
  const start = json.queries?.nextPage?.[0]?.startIndex;
  return {
    results: (json.items ?? []).flatMap(({ link, title }) =>
      typeof link === 'string' ? [{ url: link, title: String(title ?? '') }] : [],
    ),
    next: start && start <= API_RESULTS - API_PAGE + 1 ? withStart(answer.url, start) : null,
  };
}

export function readGooglePage(answer: SourceAnswer): ResultPage {
  requireNoWall(answer);
  requireOk('google', answer);
  const document = parsePage(answer.body, answer.url);
  const results = select(document, 'a[href]')
    .filter((anchor) => isResult(anchor))
    .map((anchor) => ({
      url: anchor.getAttribute('href') ?? '',
      title: collapseSpaces(anchor.querySelector('h3, .vvjwJb')?.textContent ?? ''),
    }));
  if (results.length === 0 && !/did not match any documents|no results found/i.test(answer.body)) {
    throw sourceError('google', 'source_unreadable', 'its result page is not one that is known here');
  }
  const next = document
    .querySelector('a#pnnext, a[aria-label="Next page"], footer a.nBDE1b')
    ?.getAttribute('href');
  return { results, next: next ?? null };
}
