import { gzipSync } from 'node:zlib';
import { Frontier } from '../../scraping/crawl/frontier.ts';
import { compileGlob } from '../../scraping/crawl/scope.ts';
import { readSitemap } from '../../scraping/crawl/sitemap.ts';
import { sitemapLinksIn } from '../../scraping/crawl/sitemap-link.ts';
import { detectBlock } from '../../scraping/engine/block-detection.ts';
import { createCookies } from '../../scraping/http/cookies.ts';
import { retryAfterMs } from '../../scraping/politeness/retry-after.ts';
import { isAllowed, permissionsFor } from '../../scraping/politeness/robots-permission.ts';
import { parseRobots } from '../../scraping/politeness/robots-txt.ts';
import { decodeDocument } from '../../scraping/response/charset.ts';
import { htmlSignals } from '../../scraping/response/html-signals.ts';

/** Untrusted input of a parser on the event loop, by size in characters. */
export interface Attack {
  name: string;
  /** The smaller of the two sizes. */
  size: number;
  make(size: number): string;
  read(text: string): unknown;
  /** How a site sends it; absent if it is no answer of a site. */
  served?: Served;
}

export interface Served {
  as: 'robots.txt' | 'sitemap' | 'page';
  type: string;
  bytes(text: string): Uint8Array;
}

const many = (text: string) => (size: number) => text.repeat(Math.ceil(size / text.length));
const bytes = (text: string) => Buffer.from(text, 'latin1');

const robots = (name: string, make: Attack['make'], path = '/'): Attack => ({
  name: `robots.txt: ${name}`,
  ...{ size: 120_000, make },
  served: { as: 'robots.txt', type: 'text/plain', bytes },
  read: (text) =>
    isAllowed(permissionsFor(parseRobots(bytes(text)), 'LeadEngine'), `https://example.com${path}`),
});
const sitemap = (name: string, make: Attack['make'], pack = (text: string) => bytes(text)): Attack => ({
  name: `sitemap: ${name}`,
  ...{ size: 120_000, make },
  served: { as: 'sitemap', type: 'application/xml', bytes: pack },
  read: (text) => readSitemap(pack(text), { url: 'https://example.com/sitemap.xml' }),
});
const document = (name: string, make: Attack['make']): Attack => ({
  name: `document: ${name}`,
  ...{ size: 120_000, make },
  served: { as: 'page', type: 'text/html', bytes },
  read: (html) => {
    const decoded = decodeDocument(bytes(html), null, 'https://example.com/');
    const shape = htmlSignals(decoded.text);
    sitemapLinksIn(decoded.text);
    return detectBlock({ url: 'https://example.com/', status: 403, headers: {}, html: decoded.text }, shape);
  },
});

const LONG_PATH = `/${'a'.repeat(2000)}`;

export const ATTACKS: readonly Attack[] = [
  robots('agents and delays in turn', many('user-agent:a\ncrawl-delay:1\n')),
  robots('agents without end', (size) =>
    Array.from({ length: size / 18 }, (_, n) => `user-agent:a${n}\n`).join(''),
  ),
  robots('blanks within lines', many(`disallow: a${' '.repeat(16_000)}x\n`)),
  robots('blanks without a colon', many(`disallow ${' '.repeat(16_000)}x\n`)),
  robots('empty lines', many('\n\r')),
  robots('comments', many('#')),
  robots('octets to be escaped', (size) => `user-agent:*\ndisallow:${many('\xff')(size)}`),
  robots(
    'long rules of stars',
    (size) => `user-agent:*\n${many(`disallow:/${'*a'.repeat(4000)}b\n`)(size)}`,
    LONG_PATH,
  ),
  robots('many rules of stars', (size) => `user-agent:*\n${many('disallow:*a*ab\n')(size)}`, LONG_PATH),
  robots(
    'parts that nearly fit',
    (size) => `user-agent:*\n${many(`disallow:/*${'a'.repeat(900)}b\n`)(size)}`,
    LONG_PATH,
  ),
  robots('rules for index pages', (size) => `user-agent:*\n${many('allow:/a/index.html\n')(size)}`),

  sitemap('loc that is not closed', (size) => `<urlset>${many('<loc>')(size)}`),
  sitemap('entries that are not closed', (size) => `<urlset>${many('<url><loc>http://a/')(size)}`),
  sitemap('elements in elements', (size) => `<urlset>${many('<a>')(size)}`),
  sitemap('ends of what never began', (size) => `<urlset>${'<a>'.repeat(90)}${many('</b>')(size)}`),
  sitemap('comments', (size) => `<urlset>${many('<!-- ')(size)}`),
  sitemap('CDATA', (size) => `<urlset><url><loc>${many('<![CDATA[')(size)}`),
  sitemap('one attribute after the other', (size) => `<urlset ${many('a="b" ')(size)}`),
  sitemap('a link without an end', (size) => `<rss><channel>${many('<link ')(size)}`),
  sitemap('entities', (size) => `<urlset><url><loc>${many('&amp;')(size)}`),
  sitemap(
    'a doctype that doubles',
    (size) => `<!DOCTYPE urlset [${many('<!ENTITY a "&b;&b;">')(size)}]><urlset/>`,
  ),
  sitemap('blanks between lines', (size) => `http://a\n${many(' ')(size)}x`),
  sitemap('one line', (size) => `http://a${many('a')(size)}`),
  sitemap(
    'packed',
    (size) => `<urlset>${many('<url><loc>https://example.com/a</loc></url>')(size)}`,
    (text) => gzipSync(text),
  ),

  document('open brackets', many('<')),
  document('quotes in a tag', many('<a b="')),
  document('tags without an end', many('<div ')),
  document('comments', many('<!--')),
  document('scripts', many('<script>')),
  document('noscripts', many('<noscript>aktivier</noscript>')),
  document('languages', many('lang=ml<html=h')),
  document('metas', many('<meta charset=')),
  document('refreshes', many('<meta http-equiv="refresh" content="1;')),
  document('placeholders', many('{{ a | ')),
  document('traces of a challenge', many('/cdn-cgi/challenge-platform/h/')),
  document('places to draw in', many('<div id="root">')),
  document('blanks', (size) => `<p>a${many(' ')(size)}b`),

  {
    name: 'globs: stars',
    size: 2000,
    make: many('a'),
    read: (text) => compileGlob(`/${'*a'.repeat(400)}b`)(`https://example.com/${text}`),
  },
  {
    name: 'globs: two stars',
    size: 2000,
    make: many('a'),
    read: (text) => compileGlob(`/${'**a'.repeat(300)}b`)(`https://example.com/${text}`),
  },
  {
    name: 'globs: a part of a path',
    size: 2000,
    make: many('a/'),
    read: (text) => compileGlob(`${'*a'.repeat(400)}b`)(`https://example.com/${text}`),
  },
  {
    name: 'a frontier whose host must wait',
    size: 4_000,
    make: many('a'),
    read: ({ length }) => {
      const scope = { includes: () => true, isSameSite: () => true, extendTo: () => {} };
      const frontier = new Frontier({ scope, maxDepth: 9, maxKnown: length });
      frontier.addLinks(
        Array.from({ length }, (_, n) => ({ url: `https://a.example/p${n}x` })),
        null,
      );
      const busy = new Set(['a.example']);
      for (let tries = 0; tries < length; tries += 1) if (frontier.take(busy)) throw new Error('it is busy');
      while (frontier.take());
    },
  },
  {
    name: 'cookies',
    size: 16_000,
    make: many('a'),
    read: (text) => {
      const cookies = createCookies();
      cookies.store(
        'https://example.com/',
        Array.from({ length: 200 }, (_, n) => `a${n}=${text}; path=/${'; '.repeat(100)}`),
      );
      return cookies.headerFor('https://example.com/');
    },
  },
  {
    name: 'Retry-After',
    size: 100_000,
    make: many('1.'),
    read: (text) => retryAfterMs(429, { 'retry-after': text, date: text }),
  },
];
