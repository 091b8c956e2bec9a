/**
 * robots.txt by RFC 9309, read as forgivingly as Google's own parser reads it: what a webmaster obviously meant counts, because a
 * rule that is not understood is a page fetched against somebody's will. (`robots-parser` 3.0.1 misreads `User-agent: Foo Bar`
 * and broken byte-order marks.)
 */
export interface Robots {
  groups: Group[];
  /** Seconds to leave between two requests, as written, and the crawlers that were named when it was. */
  crawlDelays: { agents: string[]; seconds: number }[];
  /** Addresses of sitemaps, wherever in the file they stand. */
  sitemaps: string[];
}

/** Rules for some crawlers. Several groups may name the same one; all of them hold for it. */
export interface Group {
  /** Product tokens in lower case; `*` for everybody that no group names. */
  agents: string[];
  rules: Rule[];
}

export interface Rule {
  allow: boolean;
  /** Octets outside of ASCII as `%E3`, one character an octet, so that it compares with the path of a URL. */
  pattern: string;
}

/** What is behind this is not read (RFC 9309 asks for at least 500 KiB). */
export const MAX_ROBOTS_BYTES = 500 * 1024;
/** As long as eight addresses of the longest kind that browsers take; what is behind it in a line is not read. */
const MAX_LINE = 2083 * 8;

/** Never fails: what is no line of a robots.txt is passed over. */
export function parseRobots(body: Uint8Array): Robots {
  const robots: Robots = { groups: [], crawlDelays: [], sitemaps: [] };
  let group: Group | undefined;
  // Several `User-agent` lines in a row begin one group; the first rule behind them closes the list.
  let namingAgents = false;
  for (const line of linesOf(body)) {
    const directive = directiveOf(line);
    switch (directive?.name) {
      case 'user-agent':
        if (!namingAgents || !group) {
          group = { agents: [], rules: [] };
          robots.groups.push(group);
        }
        namingAgents = true;
        group.agents.push(agentOf(directive.value));
        break;
      case 'allow':
      case 'disallow':
        namingAgents = false;
        group?.rules.push({ allow: directive.name === 'allow', pattern: escaped(directive.value) });
        break;
      case 'crawl-delay': {
        const seconds = Number.parseFloat(directive.value);
        // It is no part of the standard, and so does not end the list of agents; yet it is not meant for those still to come.
        if (group && seconds >= 0) robots.crawlDelays.push({ agents: [...group.agents], seconds });
        break;
      }
      case 'sitemap':
        robots.sitemaps.push(Buffer.from(directive.value, 'latin1').toString('utf8'));
        break;
    }
  }
  return robots;
}

/** One character an octet: what a file is encoded in is not known, and rules are compared octet by octet. */
function linesOf(body: Uint8Array): string[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, MAX_ROBOTS_BYTES));
  // Of a byte-order mark, as much as is there.
  const mark = [0xef, 0xbb, 0xbf];
  const markBytes = mark.findIndex((byte, place) => bytes[place] !== byte);
  const text = bytes.subarray(markBytes === -1 ? mark.length : markBytes).toString('latin1');
  return text.split(/\r\n|\r|\n/).map((line) => line.slice(0, MAX_LINE));
}

const NAMES: [name: 'user-agent' | 'allow' | 'disallow' | 'crawl-delay' | 'sitemap', spelt: RegExp][] = [
  ['user-agent', /^user[- ]?agent/i],
  ['allow', /^allow/i],
  ['disallow', /^(disallow|dissallow|dissalow|disalow|diasllow|disallaw)/i],
  ['crawl-delay', /^crawl-?delay/i],
  ['sitemap', /^site-?map/i],
];

function directiveOf(line: string) {
  const said = trimmed(line.replace(/#.*$/, ''));
  const colon = said.indexOf(':');
  // `disallow /` is obvious too; with a third word it could be anything.
  const parts = colon >= 0 ? [said.slice(0, colon), said.slice(colon + 1)] : said.split(/[ \t]+/);
  const [name, value] = parts.map(trimmed);
  if (!name || value === undefined || parts.length !== 2) return null;
  const known = NAMES.find(([, spelt]) => spelt.test(name));
  return known ? { name: known[0], value } : null;
}

/** Not `trim()`: to that an octet 0xA0 is a blank too, and it may be a part of a character. */
const trimmed = (text: string): string => text.replace(/^[ \t\v\f]+|[ \t\v\f]+$/g, '');

/** `FooBot/1.0` and `Foo Bar` name `foobot` and `foo`: a product token is letters, `_` and `-`. */
function agentOf(value: string): string {
  if (/^\*(\s|$)/.test(value)) return '*';
  return (/^[a-z_-]*/i.exec(value)?.[0] ?? '').toLowerCase();
}

const escaped = (value: string): string =>
  value
    .replace(/%[0-9a-f]{2}/gi, (triplet) => triplet.toUpperCase())
    .replace(/[\x80-\xff]/g, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase()}`);
