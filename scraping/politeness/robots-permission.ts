import { matches, prefixOf } from './robots-pattern.ts';
import type { Group, Robots } from './robots-txt.ts';

/** What a robots.txt says to one crawler. */
export interface Permissions {
  /** The longest first, and of two as long the one that allows: the first that matches decides. */
  rules: CompiledRule[];
  /** Seconds that the site asks to be left between two requests; the longest where several groups say so, null where none does. */
  crawlDelay: number | null;
}

interface CompiledRule {
  allow: boolean;
  pattern: string;
  hasStars: boolean;
}

/**
 * The part of a file that is for the crawler of this name: of the groups that name it all, or where none does those for everybody.
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
 * Whether an address may be fetched. In time proportional to the rules' length and, for those with stars, the path's; where stars are
 * so many that this takes long, what is left of them counts as its beginning: more is left alone than was asked for, never less.
 *
 * @param url as it is requested: the parser percent-encodes the file's rules, and compares octet by octet
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

/** Characters to look at for one address: 30,000 rules with stars for a path of 200, some 30 ms at the worst. */
const MOST_WORK = 6_000_000;

/** As `isAllowed`, for a single question. */
export const mayFetch = (robots: Robots, agent: string, url: string): boolean =>
  isAllowed(permissionsFor(robots, agent), url);

export const crawlDelayFor = (robots: Robots, agent: string): number | null =>
  permissionsFor(robots, agent).crawlDelay;

function rulesOf(groups: readonly Group[]): CompiledRule[] {
  const byPattern = new Map<string, boolean>();
  const add = (pattern: string, allow: boolean) => {
    if (pattern !== '') byPattern.set(pattern, allow || byPattern.get(pattern) === true);
  };
  for (const { rules } of groups) {
    for (const { allow, pattern } of rules) {
      add(pattern, allow);
      // Whoever allows `/folder/index.html` allows `/folder/`, which is the same page.
      const folder = allow ? folderOf(pattern) : null;
      if (folder !== null) add(`${folder}$`, true);
    }
  }
  return [...byPattern]
    .map(([pattern, allow]) => ({ allow, pattern: ownCopy(pattern), hasStars: pattern.includes('*') }))
    .sort((a, b) => b.pattern.length - a.pattern.length || Number(b.allow) - Number(a.allow));
}

/** A part of a text keeps all of it in memory; rules are kept long after the file. */
const ownCopy = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');

/** Of `/folder/index.html`, with its slash; null for the pattern of anything else. */
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

/** Path and query as written, from `/`; of anything that is no URL, as much of one as it looks like. */
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

/** The product token of a User-Agent, by which robots.txt knows it: `LeadEngine` of `LeadEngine/1.0 (+https://…)`. */
export function productTokenOf(userAgent: string): string {
  // Ours stands last in those that begin as browsers' do, for the sake of servers that expect it.
  const tokens = [...userAgent.replace(/\([^)]*\)/g, ' ').matchAll(/(?:^|\s)([a-z_-]+)(?=\/|\s|$)/gi)];
  const own = tokens.map(([, token = '']) => token).filter((token) => !BROWSERS.test(token));
  return own.at(0) ?? tokens[0]?.[1] ?? '';
}

const BROWSERS =
  /^(mozilla|applewebkit|gecko|chrome|chromium|headlesschrome|safari|mobile|version|firefox|edg)$/i;
