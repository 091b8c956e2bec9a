import { absoluteUrl, collapseSpaces, readTitle, select, selectFirst } from '../document/dom.ts';
import { findAuthors } from './authors.ts';
import { findModified, findPublished, isArticle } from './byline.ts';
import { type MetaTags, metaTags } from './meta-tags.ts';
import { readJsonLd, readMicrodata } from './structured-data.ts';
import { findHeadline } from './title.ts';

/** Metadata of a page (the format `metadata`). Fields without a value are absent. */
export function extractMetadata(
  document: Document,
  page: { title: string; url: string; charset: string },
): Record<string, unknown> {
  const tags = metaTags(document);
  const first = (...names: string[]) => names.map((name) => tags.get(name)).find(Boolean);
  const link = (rel: string) =>
    selectFirst(document, `link[rel~="${rel}"][href]`)?.getAttribute('href') ?? undefined;
  const icon = link('icon') ?? link('apple-touch-icon') ?? absoluteUrl('/favicon.ico', page.url);
  const jsonLd = readJsonLd(document);
  const siteName = first('og:site_name', 'application-name');
  const source = { document, tags, jsonLd, siteName, url: page.url };
  const authors = findAuthors(source);
  const isWritten = /^article/.test(tags.get('og:type') ?? '') || isArticle(source);

  return present({
    title: findHeadline(document, {
      ...{ tags, siteName, title: page.title || readTitle(document), isWritten, url: page.url },
    }),
    description: first('description', 'og:description', 'twitter:description'),
    language:
      document.documentElement?.getAttribute('lang') ||
      first('content-language', 'og:locale')?.replace('_', '-'),
    canonical: link('canonical') ?? first('og:url'),
    charset: page.charset || undefined,
    site_name: siteName,
    author: authors.length > 0 ? authors.join(', ') : undefined,
    authors: authors.length > 0 ? authors : undefined,
    keywords: first('keywords'),
    published: findPublished(source),
    modified: findModified(source),
    robots: first('robots'),
    generator: first('generator'),
    favicon: icon ?? undefined,
    feeds: findFeeds(document),
    opengraph: group(tags, 'og:'),
    twitter: group(tags, 'twitter:'),
    json_ld: jsonLd,
    microdata: readMicrodata(document),
  });
}

const FEED_TYPES = /^application\/(rss|atom|feed|rdf)\+(xml|json)/i;
const MAX_FEEDS = 50;

function findFeeds(document: Document): { url: string; title?: string; type: string }[] | undefined {
  const feeds = select(document, 'link[rel~="alternate"][type][href]')
    .filter((link) => FEED_TYPES.test(link.getAttribute('type') ?? ''))
    .slice(0, MAX_FEEDS)
    .map((link) => {
      const title = collapseSpaces(link.getAttribute('title'));
      const type = (link.getAttribute('type') ?? '').toLowerCase();
      return { url: link.getAttribute('href') ?? '', ...(title ? { title } : {}), type };
    });
  return feeds.length > 0 ? feeds : undefined;
}

function group(tags: MetaTags, prefix: string): Record<string, string> | undefined {
  const found = [...tags]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length), value]);
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

const present = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''));
