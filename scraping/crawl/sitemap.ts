import { setImmediate as nextTurn } from 'node:timers/promises';
import { createSitemapLines } from './sitemap-lines.ts';
import type { OnAddress, Sitemap, SitemapReader } from './sitemap-reader.ts';
import { textChunks } from './sitemap-text.ts';
import { createSitemapXml } from './sitemap-xml.ts';

export interface SitemapSource {
  /** Where it was read, for what it writes relative to that. Without one only whole addresses count. */
  url?: string;
  contentType?: string | null;
  signal?: AbortSignal;
}

/** The protocol's own limits: 50 MB a file, 50,000 addresses. What is behind them is not read. */
const MAX_BYTES = 52_428_800;
const MAX_ADDRESSES = 50_000;

/**
 * Reads a sitemap: XML, an index of sitemaps, an RSS or Atom feed, or a list of lines; gzip by its first bytes, whatever it is called.
 * In time proportional to its length, in small pieces between which the event loop has its turn. What was cut off, or is not
 * well-formed, gives what can be read of it.
 *
 * @returns null where it is none of these
 * @throws the signal's reason
 */
export async function readSitemap(body: Buffer, source: SitemapSource = {}): Promise<Sitemap | null> {
  const found: Sitemap = { pages: [], sitemaps: [] };
  const onAddress: OnAddress = (kind, written) => {
    const address = absolute(written.trim(), source.url);
    if (address !== null) found[kind].push(address);
    return found.pages.length + found.sitemaps.length < MAX_ADDRESSES;
  };
  let reader: SitemapReader | undefined;
  for await (const chunk of textChunks(body, source.contentType ?? null, MAX_BYTES)) {
    source.signal?.throwIfAborted();
    const text = reader ? chunk : chunk.trimStart();
    if (text === '') continue;
    reader ??= text.startsWith('<') ? createSitemapXml(onAddress) : createSitemapLines(onAddress);
    if (!reader.write(text)) break;
    await nextTurn();
  }
  return reader?.end() ? found : null;
}

/** Longer ones no server takes. */
const LONGEST = 8192;

function absolute(address: string, base: string | undefined): string | null {
  if (address === '' || address.length > LONGEST) return null;
  if (/^https?:\/\//i.test(address)) return address;
  if (base === undefined || !URL.canParse(address, base)) return null;
  const { protocol, href } = new URL(address, base);
  return protocol === 'http:' || protocol === 'https:' ? href : null;
}
