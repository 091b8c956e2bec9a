import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** What a sitemap file holds: addresses of pages, or of further sitemaps. */
export interface Sitemap {
  pages: string[];
  sitemaps: string[];
}

/** The protocol's own limits: 50 MB a file, 50,000 addresses. */
const MAX_BYTES = 52_428_800;
const MAX_ADDRESSES = 50_000;

const unzip = promisify(gunzip);

/**
 * Reads a sitemap: XML, an index of sitemaps, a feed or a list of lines; gzip by its first bytes, whatever it is called. Not by an XML
 * parser: many sitemaps are not well-formed, and all that is wanted is what stands in their `<loc>`.
 *
 * @returns null where it is none of these, or larger than the protocol allows
 */
export async function readSitemap(body: Buffer): Promise<Sitemap | null> {
  const plain = await unpacked(body);
  if (plain === null) return null;
  const text = plain
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (/^https?:\/\//i.test(text)) {
    const lines = text.split(/\s*\n\s*/).slice(0, MAX_ADDRESSES);
    return { pages: lines.filter((line) => /^https?:\/\/\S+$/i.test(line)), sitemaps: [] };
  }
  if (!text.startsWith('<')) return null;
  if (/<(?:\w+:)?sitemapindex[\s>]/i.test(text)) return { pages: [], sitemaps: addressesIn(text, LOCATION) };
  if (/<(?:\w+:)?urlset[\s>]/i.test(text)) return { pages: addressesIn(text, LOCATION), sitemaps: [] };
  if (/<(rss|feed|rdf:RDF)[\s>]/.test(text)) return { pages: addressesIn(text, FEED_LINK), sitemaps: [] };
  return null;
}

async function unpacked(body: Buffer): Promise<Buffer | null> {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return body;
  // Cut off in the middle, what came is still worth having; larger than allowed, it is not.
  return await unzip(body, { maxOutputLength: MAX_BYTES }).catch(() => null);
}

/** Not the `image:loc` and `video:loc` of a page's pictures. */
const LOCATION = /<(?:(?!image|video|news|xhtml)\w+:)?loc\s*>([^<]*(?:<!\[CDATA\[[\s\S]*?\]\]>)?[^<]*)</gi;
const FEED_LINK = /<link(?:\s*>([^<]+)<|\s[^>]*?href\s*=\s*["']([^"']+)["'])/gi;

function addressesIn(text: string, pattern: RegExp): string[] {
  const found: string[] = [];
  for (const [, first, second] of text.matchAll(pattern)) {
    const address = decoded((first ?? second ?? '').replace(/<!\[CDATA\[|\]\]>/g, '')).trim();
    if (/^https?:\/\//i.test(address)) found.push(address);
    if (found.length >= MAX_ADDRESSES) break;
  }
  return found;
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const decoded = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (entity, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : null;
    if (code !== null) return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
    return ENTITIES[name] ?? entity;
  });
