import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { parseUrl } from '../../core/parse-url.ts';
import { createSitemapLines } from './sitemap-lines.ts';
import type { OnUrl, Sitemap, SitemapReader } from './sitemap-reader.ts';
import { textChunks } from './sitemap-text.ts';
import { createSitemapXml } from './sitemap-xml.ts';

export interface SitemapSource {
  /** URL of the file, base of relative URLs. Unset: relative URLs are ignored. */
  url?: string;
  contentType?: string | null;
  signal?: AbortSignal;
}

/** The protocol's limits per file: 50 MB, 50,000 URLs. The rest is ignored. */
const MAX_BYTES = 52_428_800;
const MAX_ADDRESSES = 50_000;

/**
 * Reads a sitemap: XML, a sitemap index, an RSS or Atom feed, or one URL per line; gzip by its
 * magic number. Linear in its length, in small chunks that yield to the event loop. A truncated or
 * malformed file gives the URLs that can be read.
 *
 * @returns null if it is none of these
 * @throws the signal's reason
 */
export async function readSitemap(body: Buffer, source: SitemapSource = {}): Promise<Sitemap | null> {
  const found: Sitemap = { pages: [], sitemaps: [] };
  const onUrl: OnUrl = (kind, written) => {
    const address = absolute(written.trim(), source.url);
    if (address !== null) found[kind].push(address);
    return found.pages.length + found.sitemaps.length < MAX_ADDRESSES;
  };
  let reader: SitemapReader | undefined;
  for await (const chunk of textChunks(body, source.contentType ?? null, MAX_BYTES)) {
    source.signal?.throwIfAborted();
    const text = reader ? chunk : chunk.trimStart();
    if (text === '') continue;
    reader ??= text.startsWith('<') ? createSitemapXml(onUrl) : createSitemapLines(onUrl);
    if (!reader.write(text)) break;
    await yieldToEventLoop();
  }
  return reader?.end() ? found : null;
}

/** Servers accept no longer URLs. */
const LONGEST = 8192;

function absolute(address: string, base: string | undefined): string | null {
  if (address === '' || address.length > LONGEST) return null;
  if (/^https?:\/\//i.test(address)) return address;
  const url = base === undefined ? null : parseUrl(address, base);
  if (!url) return null;
  const { protocol, href } = url;
  return protocol === 'http:' || protocol === 'https:' ? href : null;
}
