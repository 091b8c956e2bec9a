import { Parser } from 'htmlparser2';
import type { OnUrl, SitemapReader } from './sitemap-reader.ts';

/**
 * Nesting limit; a sitemap has four levels. The parser's stack of open elements is slow when it is
 * deep.
 */
const DEEPEST = 100;
/** Limit for a URL's length. */
const LONGEST = 10_000;

const ROOTS = new Set(['urlset', 'sitemapindex', 'rss', 'feed', 'rdf']);
/** Parents of a page's `loc`. Image and video extensions have a `loc` in their own namespace. */
const ENTRIES = new Set(['url', 'sitemap', 'urlset', 'sitemapindex']);
const FEED_ENTRIES = new Set(['item', 'entry', 'channel', 'feed']);

/**
 * Reads the `loc` elements of a sitemap and the `link` elements of a feed, with any namespace
 * prefix.
 */
export function createSitemapXml(onUrl: OnUrl): SitemapReader {
  /** Local names of the open elements. */
  const open: string[] = [];
  let isOver = false;
  let isKnown = false;
  /** The URL being read. */
  let reading: { kind: 'pages' | 'sitemaps'; depth: number; text: string } | null = null;
  let link: { href: string; rel: string } | null = null;

  const stop = () => {
    isOver = true;
    // Stops parsing; never resumed.
    parser.pause();
  };
  const give = (kind: 'pages' | 'sitemaps', address: string) => {
    if (!isOver && address.length <= LONGEST && !onUrl(kind, address)) stop();
  };

  const parser = new Parser(
    {
      onopentagname(name) {
        const local = localOf(name);
        const parent = open.at(-1) ?? '';
        open.push(local);
        if (open.length === 1 && !isKnown) {
          isKnown = ROOTS.has(local);
          if (!isKnown) stop();
        }
        if (open.length > DEEPEST) return stop();
        const isEntry = local === 'loc' ? ENTRIES.has(parent) : local === 'link' && FEED_ENTRIES.has(parent);
        if (!isEntry) return;
        const kind = parent === 'sitemap' || parent === 'sitemapindex' ? 'sitemaps' : 'pages';
        reading = { kind, depth: open.length, text: '' };
        link = local === 'link' ? { href: '', rel: 'alternate' } : null;
      },
      onattribute(name, value) {
        if (!link || reading?.depth !== open.length) return;
        if (name === 'href') link.href = value;
        if (name === 'rel') link.rel = value;
      },
      ontext(text) {
        if (reading?.depth === open.length && reading.text.length <= LONGEST) reading.text += text;
      },
      onclosetag() {
        if (reading?.depth === open.length) {
          // Atom also uses `link` for the feed itself and its next page.
          const address = link?.href ? (link.rel === 'alternate' ? link.href : '') : reading.text;
          if (address.trim() !== '') give(reading.kind, address);
          reading = null;
          link = null;
        }
        open.pop();
      },
    },
    { xmlMode: true, decodeEntities: true },
  );

  return {
    write(text) {
      if (!isOver) parser.write(text);
      return !isOver;
    },
    end() {
      // Drops a truncated URL.
      reading = null;
      if (!isOver) parser.end();
      return isKnown;
    },
  };
}

const localOf = (name: string): string => name.slice(name.lastIndexOf(':') + 1).toLowerCase();
