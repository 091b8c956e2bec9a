/**
 * Parses robots.txt by RFC 9309, as leniently as Google's parser: a rule that is not understood is
 * a page fetched against the site's will. (`robots-parser` 3.0.1 misreads `User-agent: Foo Bar` and
 * broken byte-order marks.)
 */
export interface Robots {
  groups: Group[];
  /** Sitemap URLs, from anywhere in the file. */
  sitemaps: string[];
}

/** Rules for some crawlers. If several groups name the same crawler, all of them apply. */
export interface Group {
  /**
   * Lower-case product tokens (`*` for crawlers that no group names), each with the number of
   * delays that precede it in the group and do not apply to it. Storing the tokens per delay would
   * be quadratic.
   */
  agents: Map<string, number>;
  rules: Rule[];
  /** Seconds to leave between two requests, as written. */
  crawlDelays: number[];
}

export interface Rule {
  allow: boolean;
  /** Octets outside of ASCII percent-encoded (`%E3`), as in the path of a URL. */
  pattern: string;
}

/** The rest of the file is ignored (RFC 9309 requires at least 500 KiB). */
export const MAX_ROBOTS_BYTES = 500 * 1024;
/**
 * As in Google's parser: eight times the longest URL of browsers. The rest of a line is ignored.
 */
const MAX_LINE = 2083 * 8;
/** More than a crawl reads. */
const MAX_SITEMAPS = 1000;

/** Never fails: other lines are skipped. Linear in time and space. */
export function parseRobots(body: Uint8Array): Robots {
  const robots: Robots = { groups: [], sitemaps: [] };
  let group: Group | undefined;
  // Consecutive `User-agent` lines start one group; the first rule closes the list.
  let namingAgents = false;
  for (const { name, value } of directivesIn(textOf(body))) {
    switch (name) {
      case 'user-agent': {
        if (!namingAgents || !group) {
          group = { agents: new Map(), rules: [], crawlDelays: [] };
          robots.groups.push(group);
        }
        namingAgents = true;
        const agent = agentOf(value);
        if (!group.agents.has(agent)) group.agents.set(agent, group.crawlDelays.length);
        break;
      }
      case 'allow':
      case 'disallow':
        namingAgents = false;
        group?.rules.push({ allow: name === 'allow', pattern: escaped(value) });
        break;
      case 'crawl-delay': {
        const seconds = Number.parseFloat(value);
        // Not in the standard, so it does not close the list of agents; but it does not apply to
        // later ones.
        if (group && seconds >= 0) group.crawlDelays.push(seconds);
        break;
      }
      case 'sitemap':
        if (robots.sitemaps.length < MAX_SITEMAPS)
          robots.sitemaps.push(Buffer.from(value, 'latin1').toString('utf8'));
        break;
      default:
        name satisfies never;
    }
  }
  return robots;
}

/**
 * Latin-1, one character per octet: the encoding is unknown, and rules are compared octet by octet.
 */
function textOf(body: Uint8Array): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, MAX_ROBOTS_BYTES));
  // Skips a complete or partial byte-order mark.
  const mark = [0xef, 0xbb, 0xbf];
  const markBytes = mark.findIndex((byte, place) => bytes[place] !== byte);
  return bytes.subarray(markBytes === -1 ? mark.length : markBytes).toString('latin1');
}

type Name = 'user-agent' | 'allow' | 'disallow' | 'crawl-delay' | 'sitemap';

/** CR, LF and CRLF end a line; empty lines are skipped. */
function* directivesIn(text: string): Generator<{ name: Name; value: string }> {
  let from = 0;
  while (from < text.length) {
    let to = from;
    while (to < text.length && !isLineEnd(text.charCodeAt(to))) to += 1;
    const directive = to > from ? directiveOf(text.slice(from, Math.min(to, from + MAX_LINE))) : null;
    if (directive) yield directive;
    from = to + 1;
  }
}

const isLineEnd = (code: number): boolean => code === 0x0a || code === 0x0d;

const NAMES: [name: Name, spelt: RegExp][] = [
  ['user-agent', /^user[- ]?agent/i],
  ['allow', /^allow/i],
  ['disallow', /^(disallow|dissallow|dissalow|disalow|diasllow|disallaw)/i],
  ['crawl-delay', /^crawl-?delay/i],
  ['sitemap', /^site-?map/i],
];

function directiveOf(line: string): { name: Name; value: string } | null {
  const comment = line.indexOf('#');
  const said = trimmed(comment < 0 ? line : line.slice(0, comment));
  const colon = said.indexOf(':');
  // `disallow /` without a colon is accepted; with a third word it is ambiguous.
  const parts = colon >= 0 ? [said.slice(0, colon), said.slice(colon + 1)] : said.split(/[ \t]+/, 3);
  const [name, value] = parts.map(trimmed);
  if (!name || value === undefined || parts.length !== 2) return null;
  const known = NAMES.find(([, spelt]) => spelt.test(name));
  return known ? { name: known[0], value } : null;
}

/**
 * Not `trim()`, which removes the octet 0xA0: it may be part of a character. Not a regular
 * expression, which is quadratic for a run of blanks within the line.
 */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0b || code === 0x0c;

/** `FooBot/1.0` and `Foo Bar` name `foobot` and `foo`: a product token is letters, `_` and `-`. */
function agentOf(value: string): string {
  if (/^\*(\s|$)/.test(value)) return '*';
  return (/^[a-z_-]*/i.exec(value)?.[0] ?? '').toLowerCase();
}

const escaped = (value: string): string =>
  value
    .replace(/%[0-9a-f]{2}/gi, (triplet) => triplet.toUpperCase())
    .replace(/[\x80-\xff]/g, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase()}`);
