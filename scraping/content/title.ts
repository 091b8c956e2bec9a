import { collapsed, select } from './dom.ts';
import type { MetaTags } from './metadata.ts';

/**
 * What a page is called on the page: its title without the site's name and the slogans around it. The heading is taken where the
 * title has it too, and else the title's own part that names the page.
 */
export function headlineOf(
  document: Document,
  page: { tags: MetaTags; siteName: string | undefined; title: string; isWritten: boolean },
): string | undefined {
  const title = collapsed(page.title) || collapsed(page.tags.get('og:title') ?? '');
  const openGraph = collapsed(page.tags.get('og:title') ?? page.tags.get('twitter:title') ?? '');
  const headings = select(document, 'h1')
    .map((heading) => collapsed(heading.textContent).replace(/\s*[¶#]$/, ''))
    .filter((text) => text.length > 1 && text.length < 300);
  if (title === '') return headings[0];

  const parts = partsOf(title);
  const site = siteOf(parts, page.siteName);
  const isSite = (text: string) => site.some((name) => plain(name) === plain(text));
  const [heading] = headings
    .filter((text) => !isSite(text) && holdsPhrase(title, text))
    .sort((a, b) => b.length - a.length);
  if (heading) return heading;
  // A written piece has one heading, and its title may be other words for search engines.
  const [only, ...others] = headings.filter((text) => !isSite(text));
  if (only && others.length === 0 && page.isWritten && sharesWords(only, title)) return only;
  const [first = title] = parts.filter((part) => !isSite(part));
  if (openGraph !== '' && headings.some((text) => plain(text) === plain(openGraph))) return openGraph;
  if (
    openGraph !== '' &&
    !isSite(openGraph) &&
    openGraph.startsWith(first) &&
    partsOf(openGraph).length === 1
  ) {
    return openGraph;
  }
  return /^home ?(page)?$/i.test(first) ? title : first;
}

/** A dash or bar with spaces around it divides a title; a hyphen in a word does not. */
const partsOf = (title: string): string[] =>
  title
    .split(/\s+[|–—·•»«:›/\\~-]+\s+|\s*\|\s*|\s+::\s+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');

function siteOf(parts: readonly string[], siteName: string | undefined): string[] {
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

const holdsPhrase = (title: string, text: string): boolean => {
  const phrase = plain(text);
  return phrase !== '' && ` ${plain(title)} `.includes(` ${phrase} `);
};
