import { splitAddress } from './address.ts';

/**
 * Parts of sites that never end: calendars with a next month for ever, links that grow by a folder at each click, lists that can be
 * sorted and filtered in every combination. A crawl takes some of each and leaves the rest.
 */

const LONGEST_URL = 2000;
const MOST_FOLDERS = 25;
const MOST_FIELDS = 10;

/** Whether an address by itself looks like a way that goes on for ever. Like all here, of an `Address.url`. */
export function looksEndless(url: string): boolean {
  if (url.length > LONGEST_URL) return true;
  const { path, query } = splitAddress(url);
  const parts = path.split('/').filter(Boolean);
  return parts.length > MOST_FOLDERS || query.split('&').length > MOST_FIELDS || repeats(parts);
}

/** `/a/b/a/b/a/b`: a folder that comes again and again, or the same few in a row. */
function repeats(parts: string[]): boolean {
  const counts = new Map<string, number>();
  for (const part of parts) {
    const count = (counts.get(part) ?? 0) + 1;
    // Numbers may: /2024/10/10/10.
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

/** The kind of an address: its numbers and the values of its query do not count. `/calendar/2026/07?view=month` is `/calendar/#/#?view`. */
export function urlPattern(url: string): string {
  const { origin, path, query } = splitAddress(url);
  const page = origin + path.replace(/\d+/g, '#');
  if (query === '') return page;
  return `${page}?${[...new Set(new URLSearchParams(query).keys())].sort().join('&')}`;
}

/** Links from page to page of one kind in a row; a calendar is nothing but that. */
const LONGEST_CHAIN = 100;
const LONGEST_DATE_CHAIN = 24;
/** Addresses of one path that differ in two fields of their query or more: lists sorted and filtered in every way. */
const MOST_COMBINATIONS = 200;
/** Of one kind with a date for a path and nothing behind it. */
const MOST_DATES = 400;

/** Looks after how many addresses of each kind a crawl has. */
export interface Budgets {
  /**
   * @param from the page that links to it; null for seeds and sitemaps
   * @returns how many links in a row led within its kind of address, from 0; null if there were too many
   */
  admit(url: string, from: { url: string; patternDepth: number } | null): number | null;
}

export function createBudgets(): Budgets {
  const counts = new Map<string, number>();
  return {
    admit(url, from) {
      const kind = urlPattern(url);
      if (!/[#?]/.test(kind)) return 0;
      const { path, query } = splitAddress(url);
      const isDate = DATE.test(path) || DATE_FIELD.test(`?${query}`);
      const patternDepth = from && urlPattern(from.url) === kind ? from.patternDepth + 1 : 0;
      if (patternDepth > (isDate ? LONGEST_DATE_CHAIN : LONGEST_CHAIN)) return null;
      const count = counts.get(kind) ?? 0;
      if (isDate && count >= MOST_DATES) return null;
      if (kind.includes('&') && count >= MOST_COMBINATIONS) return null;
      counts.set(kind, count + 1);
      return patternDepth;
    },
  };
}

/** `/2026/07`, `/2026-07-21`, `/calendar/2026/7/21/`. */
const DATE = /\/(1[89]|2\d)\d\d([/-]\d{1,2}){1,2}\/?$/;
const DATE_FIELD = /[?&](date|day|week|month|year|start|from)=\d/i;
