import { Parser } from 'htmlparser2';
import type { OnAddress, SitemapReader } from './sitemap-reader.ts';

/** Elements in elements; a sitemap has four. The parser's own list of those that are open is slow when it is long. */
const DEEPEST = 100;
/** Of an address; what is longer is none. */
const LONGEST = 10_000;

const ROOTS = new Set(['urlset', 'sitemapindex', 'rss', 'feed', 'rdf']);
/** What a `loc` may stand in. Not pictures and films, whose `loc` is called the same in a namespace of theirs. */
const ENTRIES = new Set(['url', 'sitemap', 'urlset', 'sitemapindex']);
const FEED_ENTRIES = new Set(['item', 'entry', 'channel', 'feed']);

/** Reads the `loc` of a sitemap and the `link` of a feed, whatever prefix their namespace has; comments say nothing. */
export function createSitemapXml(onAddress: OnAddress): SitemapReader {
  /** Local names of the elements that are open. */
  const open: string[] = [];
  let isOver = false;
  let isKnown = false;
  /** The address being read, as far as it has come. */
  let reading: { kind: 'pages' | 'sitemaps'; depth: number; text: string } | null = null;
  let link: { href: string; rel: string } | null = null;

  const stop = () => {
    isOver = true;
    // It stops at once, and is never resumed.
    parser.pause();
  };
  const give = (kind: 'pages' | 'sitemaps', address: string) => {
    if (!isOver && address.length <= LONGEST && !onAddress(kind, address)) stop();
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
          // In Atom a feed's links to itself and to its next part are called the same.
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
      // Of an address that was cut off nobody knows how it goes on.
      reading = null;
      if (!isOver) parser.end();
      return isKnown;
    },
  };
}

const localOf = (name: string): string => name.slice(name.lastIndexOf(':') + 1).toLowerCase();
