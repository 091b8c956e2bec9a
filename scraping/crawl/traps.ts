import { splitUrl } from './normalized-url.ts';

/**
 * Crawler traps: endless calendars, links that grow by a folder per click, lists that can be sorted
 * and filtered in every combination. A crawl takes a limited number of pages of each.
 */

const LONGEST_URL = 2000;
const MOST_FOLDERS = 25;
const MOST_FIELDS = 10;

/** Whether a URL alone looks like a trap. All URLs here are `NormalizedUrl.url`. */
export function looksEndless(url: string): boolean {
  if (url.length > LONGEST_URL) return true;
  const { path, query, route } = splitUrl(url);
  const parts = `${path}${route}`.split('/').filter(Boolean);
  return parts.length > MOST_FOLDERS || query.split('&').length > MOST_FIELDS || repeats(parts);
}

/**
 * `/a/b/a/b/a/b`: a folder more than three times, or a sequence of folders three times in a row.
 */
function repeats(parts: string[]): boolean {
  const counts = new Map<string, number>();
  for (const part of parts) {
    const count = (counts.get(part) ?? 0) + 1;
    // Numbers may repeat: /2024/10/10/10.
    if (count > 3 && !/^\d+$/.test(part)) return true;
    counts.set(part, count);
  }
  for (let run = 1; run <= parts.length / 3; run += 1) {
    for (let at = 0; at + 3 * run <= parts.length; at += 1) {
      const first = parts.slice(at, at + run).join('/');
      const again = [1, 2].every((n) => parts.slice(at + n * run, at + (n + 1) * run).join('/') === first);
      if (again && !/^[\d/]+$/.test(first)) return true;
    }
  }
  return false;
}

/**
 * The URL without its numbers and query values: `/calendar/2026/07?view=month` is
 * `/calendar/#/#?view`.
 */
export function urlPattern(url: string): string {
  const { origin, path, query, route } = splitUrl(url);
  const page = origin + `${path}${route}`.replace(/\d+/g, '#');
  if (query === '') return page;
  return `${page}?${[...new Set(new URLSearchParams(query).keys())].sort().join('&')}`;
}

/** Consecutive links between pages of one pattern; a calendar consists of them. */
const LONGEST_CHAIN = 100;
const LONGEST_DATE_CHAIN = 24;
/** URLs of one pattern with two or more query fields: lists sorted and filtered in combinations. */
const MOST_COMBINATIONS = 200;
/** URLs of one pattern that end with a date. */
const MOST_DATES = 400;

/** Limits the number of URLs per pattern in one crawl. */
export interface Budgets {
  /**
   * @param from the page that links to it; null for seeds and sitemaps
   * @returns the number of consecutive links within its pattern, from 0; null if the limit is
   *   reached
   */
  admit(url: string, from: { url: string; patternDepth: number } | null): number | null;
}

export function createBudgets(): Budgets {
  const counts = new Map<string, number>();
  return {
    admit(url, from) {
      const pattern = urlPattern(url);
      if (!/[#?]/.test(pattern)) return 0;
      const { path, query } = splitUrl(url);
      const isDate = DATE.test(path) || DATE_FIELD.test(`?${query}`);
      const patternDepth = from && urlPattern(from.url) === pattern ? from.patternDepth + 1 : 0;
      if (patternDepth > (isDate ? LONGEST_DATE_CHAIN : LONGEST_CHAIN)) return null;
      const count = counts.get(pattern) ?? 0;
      if (isDate && count >= MOST_DATES) return null;
      if (pattern.includes('&') && count >= MOST_COMBINATIONS) return null;
      counts.set(pattern, count + 1);
      return patternDepth;
    },
  };
}

/** `/2026/07`, `/2026-07-21`, `/calendar/2026/7/21/`. */
const DATE = /\/(1[89]|2\d)\d\d([/-]\d{1,2}){1,2}\/?$/;
const DATE_FIELD = /[?&](date|day|week|month|year|start|from)=\d/i;
