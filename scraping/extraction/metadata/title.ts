import { parseUrl } from '../../../core/parse-url.ts';
import { cleanLine } from '../document/blanks.ts';
import { select } from '../document/dom.ts';
import { toLine } from '../markdown/one-line.ts';
import { type MetaTags, metaTags } from './meta-tags.ts';

/**
 * The headline of a page: its title without site name and slogans. The heading is used if the title
 * contains it, else the part of the title that names the page.
 */
export function findHeadline(
  document: Document,
  page: { tags: MetaTags; siteName: string | undefined; title: string; isWritten: boolean; url: string },
): string | undefined {
  const title = (cleanLine(page.title) || cleanLine(page.tags.get('og:title') ?? '')).slice(0, LONGEST);
  const openGraph = cleanLine(page.tags.get('og:title') ?? page.tags.get('twitter:title') ?? '');
  const headings = select(document, 'h1')
    .map((heading) => toLine(heading).replace(/ ?[¶#]$/, ''))
    .filter((text) => text.length > 1 && text.length < 300);
  if (title === '') return headings[0];

  const parts = splitTitle(title);
  const siteNames = findSiteNames(parts, page.siteName);
  const isSite = (text: string) => siteNames.some((name) => plain(name) === plain(text));
  const [heading] = headings
    .filter((text) => !isSite(text) && parts.concat(title).some((part) => isMainPart(part, text)))
    .sort((a, b) => b.length - a.length);
  if (heading) return heading;
  // An article has one heading; its title may be worded differently for search engines.
  const [only, ...others] = headings.filter((text) => !isSite(text));
  if (only && others.length === 0 && page.isWritten && sharesWords(only, title)) return only;
  const [first = title] = parts.filter((part) => !isSite(part));
  // The title only names the site, so the heading names the page.
  if (only && others.length === 0 && isHostName(first, page.url)) return only;
  if (openGraph !== '' && isBehindColon(first, openGraph)) return openGraph;
  if (openGraph !== '' && headings.some((text) => plain(text) === plain(openGraph))) return openGraph;
  if (
    openGraph !== '' &&
    !isSite(openGraph) &&
    openGraph.startsWith(first) &&
    splitTitle(openGraph).length === 1
  ) {
    return openGraph;
  }
  return /^home ?(page)?$/i.test(first) ? title : first;
}

/** The title of a page without a `title`: what it declares for cards, else its first heading. */
export function titleWithout(document: Document): string {
  const tags = metaTags(document);
  const declared = tags.get('og:title') ?? tags.get('twitter:title');
  return (
    declared ??
    select(document, 'h1')
      .map(toLine)
      .find((text) => text.length > 1 && text.length < 300) ??
    ''
  );
}

/** Characters of a title that are compared with each heading. */
const LONGEST = 1000;

/** A dash or bar between spaces separates the parts of a title; a hyphen in a word does not. */
const splitTitle = (title: string): string[] =>
  title
    .split(/\s+[|–—·•»«:›/\\~-]+\s+|\s*\|\s*|\s+::\s+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');

function findSiteNames(parts: readonly string[], siteName: string | undefined): string[] {
  const last = parts.length > 1 ? parts.at(-1) : undefined;
  return [siteName, last].filter((name) => name !== undefined);
}

const plain = (text: string): string => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(' ');

const sharesWords = (one: string, other: string): boolean => {
  const words = new Set(plain(other).split(' '));
  return plain(one)
    .split(' ')
    .some((word) => word.length > 3 && words.has(word));
};

/**
 * Whether a text begins with a phrase, or consists mostly of it. A word from its middle, such as a
 * section heading, is no title.
 */
const isMainPart = (text: string, phrase: string): boolean => {
  const [whole, part] = [plain(text), plain(phrase)];
  if (part === '' || !` ${whole} `.includes(` ${part} `)) return false;
  return `${whole} `.startsWith(`${part} `) || part.length * 2 >= whole.length;
};

/** `Site: Section: Page`, if the page calls itself `Page`. */
const isBehindColon = (text: string, name: string): boolean =>
  text.length > name.length && text.endsWith(name) && /:\s*$/.test(text.slice(0, -name.length));

/**
 * Whether a name is part of the host, such as `Example` at `www.example.com/page`. False for a home
 * page, which may be called that.
 */
const isHostName = (name: string, url: string): boolean => {
  const parsed = parseUrl(url);
  if (!parsed || parsed.pathname === '/') return false;
  const short = plain(name).replaceAll(' ', '');
  return parsed.hostname.split('.').some((label) => label === short);
};
