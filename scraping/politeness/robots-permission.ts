import { matches, prefixOf } from './robots-pattern.ts';
import type { Group, Robots } from './robots-txt.ts';

/** The rules of a robots.txt for one crawler. */
export interface Permissions {
  /** Longest first, `allow` before `disallow` at equal length: the first match decides. */
  rules: CompiledRule[];
  /** Seconds between two requests; the longest of several groups, null if there is none. */
  crawlDelay: number | null;
}

interface CompiledRule {
  allow: boolean;
  pattern: string;
  hasStars: boolean;
}

/**
 * Merges all groups that name this crawler, or the `*` groups if none does.
 *
 * @param agent our product token, such as `LeadEngine`
 */
export function permissionsFor({ groups }: Robots, agent: string): Permissions {
  const own = agent.toLowerCase();
  const name = own !== '' && groups.some(({ agents }) => agents.has(own)) ? own : '*';
  const ours = groups.filter(({ agents }) => agents.has(name));
  return { rules: rulesOf(ours), crawlDelay: longestDelay(ours, name) };
}

/**
 * Whether a URL may be fetched. Time is linear in the rules' length and, for rules with stars, the
 * path's. Beyond a work limit each remaining `disallow` with stars counts by its prefix: it blocks
 * more than the file asks for, never less.
 *
 * @param url as requested: rules are percent-encoded by the parser and compared octet by octet
 */
export function isAllowed({ rules }: Permissions, url: string): boolean {
  const path = pathOf(url);
  let work = 0;
  for (const { allow, pattern, hasStars } of rules) {
    if (hasStars) work += path.length + pattern.length;
    if (work > MOST_WORK && hasStars) {
      if (!allow && path.startsWith(prefixOf(pattern))) return false;
    } else if (matches(path, pattern)) return allow;
  }
  return true;
}

/** Characters compared per URL: 30,000 rules with stars for a path of 200, some 30 ms at worst. */
const MOST_WORK = 6_000_000;

function rulesOf(groups: readonly Group[]): CompiledRule[] {
  const byPattern = new Map<string, boolean>();
  const add = (pattern: string, allow: boolean) => {
    if (pattern !== '') byPattern.set(pattern, allow || byPattern.get(pattern) === true);
  };
  for (const { rules } of groups) {
    for (const { allow, pattern } of rules) {
      add(pattern, allow);
      // Allowing `/folder/index.html` allows `/folder/`, which is the same page.
      const folder = allow ? folderOf(pattern) : null;
      if (folder !== null) add(`${folder}$`, true);
    }
  }
  return [...byPattern]
    .map(([pattern, allow]) => ({ allow, pattern: ownCopy(pattern), hasStars: pattern.includes('*') }))
    .sort((a, b) => b.pattern.length - a.pattern.length || Number(b.allow) - Number(a.allow));
}

/** A substring keeps the whole file in memory; rules are cached long after it. */
const ownCopy = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');

/** `/folder/` of `/folder/index.html`; null for other patterns. */
function folderOf(pattern: string): string | null {
  const slash = pattern.lastIndexOf('/');
  return slash >= 0 && pattern.startsWith('index.htm', slash + 1) ? pattern.slice(0, slash + 1) : null;
}

function longestDelay(groups: readonly Group[], name: string): number | null {
  let longest: number | null = null;
  for (const { agents, crawlDelays } of groups) {
    for (let place = agents.get(name) ?? 0; place < crawlDelays.length; place += 1) {
      longest = Math.max(longest ?? 0, crawlDelays[place] ?? 0);
    }
  }
  return longest;
}

/** Path and query as written, from `/`; parses invalid URLs as Google's parser does. */
function pathOf(url: string): string {
  const { length } = url;
  const from = (pattern: RegExp, start: number) => {
    const found = url.slice(start).search(pattern);
    return found === -1 ? length : found + start;
  };
  const start = url.startsWith('//') ? 2 : 0;
  const scheme = from(/:\/\//, start);
  const authority = scheme < from(/[/?;]/, start) ? scheme + 3 : start;
  const path = from(/[/?;]/, authority);
  const fragment = from(/#/, start);
  if (path >= length || fragment < path) return '/';
  const wanted = url.slice(path, fragment);
  return wanted.startsWith('/') ? wanted : `/${wanted}`;
}

/**
 * The product token of a User-Agent, as used in robots.txt: `LeadEngine` of `LeadEngine/1.0
 * (+https://…)`.
 */
export function productTokenOf(userAgent: string): string {
  // In a browser-like User-Agent our own token comes after the browsers'.
  const tokens = [...userAgent.replace(/\([^)]*\)/g, ' ').matchAll(/(?:^|\s)([a-z_-]+)(?=\/|\s|$)/gi)];
  const own = tokens.map(([, token = '']) => token).filter((token) => !BROWSERS.test(token));
  return own.at(0) ?? tokens[0]?.[1] ?? '';
}

const BROWSERS =
  /^(mozilla|applewebkit|gecko|chrome|chromium|headlesschrome|safari|mobile|version|firefox|edg)$/i;
