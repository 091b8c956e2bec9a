import type { Robots, Rule } from './robots-txt.ts';

/**
 * Whether the crawler of this name may fetch an address: the longest rule that matches decides, of two as long the one that allows.
 *
 * @param agent our product token, such as `LeadEngine`
 * @param url as it is requested: the parser percent-encodes the file's rules, and compares octet by octet
 */
export function mayFetch(robots: Robots, agent: string, url: string): boolean {
  const groups = naming(robots, robots.groups, agent);
  const path = pathOf(url);
  let longestAllow = 0;
  let longestDisallow = 0;
  for (const rule of groups.flatMap(({ rules }) => rules)) {
    const length = matchedLength(rule, path);
    if (rule.allow) longestAllow = Math.max(longestAllow, length);
    else longestDisallow = Math.max(longestDisallow, length);
  }
  return longestDisallow <= longestAllow;
}

/** Seconds that the site asks to be left between two requests; the longest where several groups say so, null where none does. */
export function crawlDelayFor(robots: Robots, agent: string): number | null {
  const delays = naming(robots, robots.crawlDelays, agent).map(({ seconds }) => seconds);
  return delays.length > 0 ? Math.max(...delays) : null;
}

/** Those that name the crawler, all of them; where no group of the file does, those for everybody. */
function naming<T extends { agents: string[] }>(robots: Robots, parts: T[], agent: string): T[] {
  const own = agent.toLowerCase();
  const isNamed = own !== '' && robots.groups.some(({ agents }) => agents.includes(own));
  return parts.filter(({ agents }) => agents.includes(isNamed ? own : '*'));
}

/** The length of the rule's pattern where it matches, else 0. */
function matchedLength({ allow, pattern }: Rule, path: string): number {
  if (matches(path, pattern)) return pattern.length;
  // Whoever allows `/folder/index.html` allows `/folder/`, which is the same page.
  const index = allow && /^(.*\/)index\.htm[^/]*$/.exec(pattern);
  return index && matches(path, `${index[1]}$`) ? (index[1]?.length ?? 0) + 1 : 0;
}

/**
 * `*` is any run of characters, `$` at the end is the end. Keeps the set of places that the pattern read so far may have led to, so
 * that a pattern of many stars costs its length times the path's and no more; as a regular expression it could take for ever.
 */
function matches(path: string, pattern: string): boolean {
  let places = [0];
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern[index];
    if (character === '$' && index === pattern.length - 1) return places.at(-1) === path.length;
    if (character === '*') {
      const first = places[0] ?? 0;
      places = Array.from({ length: path.length - first + 1 }, (_, offset) => first + offset);
    } else {
      places = places.filter((place) => path[place] === character).map((place) => place + 1);
      if (places.length === 0) return false;
    }
  }
  return true;
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
