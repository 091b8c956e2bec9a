import { collapseSpaces, readText, select } from '../document/dom.ts';
import type { MetaTags } from './meta-tags.ts';

/**
 * What a page is called on the page: its title without the site's name and the slogans around it. The heading is taken where the
 * title has it too, and else the title's own part that names the page.
 */
export function findHeadline(
  document: Document,
  page: { tags: MetaTags; siteName: string | undefined; title: string; isWritten: boolean; url: string },
): string | undefined {
  const title = (collapseSpaces(page.title) || collapseSpaces(page.tags.get('og:title') ?? '')).slice(
    0,
    LONGEST,
  );
  const openGraph = collapseSpaces(page.tags.get('og:title') ?? page.tags.get('twitter:title') ?? '');
  const headings = select(document, 'h1')
    .map((heading) => collapseSpaces(readText(heading)).replace(/ ?[¶#]$/, ''))
    .filter((text) => text.length > 1 && text.length < 300);
  if (title === '') return headings[0];

  const parts = splitTitle(title);
  const siteNames = findSiteNames(parts, page.siteName);
  const isSite = (text: string) => siteNames.some((name) => plain(name) === plain(text));
  const [heading] = headings
    .filter((text) => !isSite(text) && parts.concat(title).some((part) => isMainPart(part, text)))
    .sort((a, b) => b.length - a.length);
  if (heading) return heading;
  // A written piece has one heading, and its title may be other words for search engines.
  const [only, ...others] = headings.filter((text) => !isSite(text));
  if (only && others.length === 0 && page.isWritten && sharesWords(only, title)) return only;
  const [first = title] = parts.filter((part) => !isSite(part));
  // A title that only names the site leaves it to the heading to name the page.
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

/** Of a title, as far as it is compared with every heading. */
const LONGEST = 1000;

/** A dash or bar with spaces around it divides a title; a hyphen in a word does not. */
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

/** Whether a text begins with a phrase, or holds it and not much else: a word out of its middle, such as a section's heading, is no title. */
const isMainPart = (text: string, phrase: string): boolean => {
  const [whole, part] = [plain(text), plain(phrase)];
  if (part === '' || !` ${whole} `.includes(` ${part} `)) return false;
  return `${whole} `.startsWith(`${part} `) || part.length * 2 >= whole.length;
};

/** `Site: Section: Page`, where the page calls itself `Page`. */
const isBehindColon = (text: string, name: string): boolean =>
  text.length > name.length && text.endsWith(name) && /:\s*$/.test(text.slice(0, -name.length));

/** The site at an address goes by a name: `Example` of `www.example.com/page`. Its home page is called by it. */
const isHostName = (name: string, url: string): boolean => {
  if (!URL.canParse(url) || new URL(url).pathname === '/') return false;
  const short = plain(name).replaceAll(' ', '');
  return new URL(url).hostname.split('.').some((label) => label === short);
};
