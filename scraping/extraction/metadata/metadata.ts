import { absoluteUrl, baseUrl, collapseSpaces, readTitle, select } from '../document/dom.ts';
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
  const links = readLinks(document);
  const link = (rel: string) => links.find(({ rels }) => rels.includes(rel))?.url;
  const canonical = links.find(({ rels, url }) => rels.includes('canonical') && isWeb(url))?.url;
  const absolute = (url: string) => absoluteUrl(url, baseUrl(document, page.url)) ?? url;
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
    language: readLanguage(document) ?? first('content-language', 'og:locale')?.replace('_', '-'),
    canonical: canonical ?? absoluteIfAny(first('og:url'), absolute),
    charset: page.charset || undefined,
    site_name: siteName,
    author: authors.length > 0 ? authors.join(', ') : undefined,
    authors: authors.length > 0 ? authors : undefined,
    keywords: first('keywords'),
    published: findPublished(source),
    modified: findModified(source),
    robots: first('robots'),
    generator: first('generator'),
    favicon: link('icon') ?? link('apple-touch-icon') ?? link('apple-touch-icon-precomposed'),
    images: findImages(document, absolute),
    alternates: findAlternates(document),
    feeds: findFeeds(document),
    opengraph: group(tags, 'og:', absolute),
    twitter: group(tags, 'twitter:', absolute),
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

/** The properties under a prefix; those that are URLs are absolute. */
function group(
  tags: MetaTags,
  prefix: string,
  absolute: (url: string) => string,
): Record<string, string> | undefined {
  const found = [...tags]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => {
      const property = name.slice(prefix.length);
      return [property, IS_URL.test(property) ? absolute(value) : value];
    });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** Of Open Graph and Twitter cards. */
const IS_URL = /^(url|see_also|(image\d?|video|audio|player)(:(url|secure_url|src|stream))?)$/;

const MAX_IMAGES = 50;

/** Every image that the page declares for itself, the main one first. */
function findImages(document: Document, absolute: (url: string) => string): string[] | undefined {
  const names = /^(og:image(:(url|secure_url))?|twitter:image(:src)?)$/i;
  const found = select(document, 'meta')
    .filter((tag) => names.test(tag.getAttribute('property') ?? tag.getAttribute('name') ?? ''))
    .map((tag) => tag.getAttribute('content')?.trim() ?? '')
    .filter((url) => url !== '')
    .map(absolute);
  const images = [...new Set(found)].filter(isWeb).slice(0, MAX_IMAGES);
  return images.length > 0 ? images : undefined;
}

const MAX_ALTERNATES = 200;

/** The same page in other languages, by `hreflang`. */
function findAlternates(document: Document): { language: string; url: string }[] | undefined {
  const alternates = readLinks(document)
    .filter(({ rels, language, url }) => rels.includes('alternate') && language !== '' && isWeb(url))
    .slice(0, MAX_ALTERNATES)
    .map(({ language, url }) => ({ language, url }));
  return alternates.length > 0 ? alternates : undefined;
}

interface LinkTag {
  rels: string[];
  url: string;
  language: string;
}

/** The `link` tags with a URL; `data:,` and the like stand for none. */
const readLinks = (document: Document): LinkTag[] =>
  select(document, 'link')
    .map((tag) => ({
      rels: (tag.getAttribute('rel') ?? '').toLowerCase().split(/\s+/),
      url: tag.getAttribute('href')?.trim() ?? '',
      language: tag.getAttribute('hreflang')?.trim() ?? '',
    }))
    .filter(({ url }) => isWeb(url) || /^data:image\//i.test(url));

const isWeb = (url: string): boolean => /^https?:\/\//i.test(url);

/** A template's `{{lang}}` is none. */
function readLanguage(document: Document): string | undefined {
  const root = document.documentElement;
  const language = (root?.getAttribute('lang') || root?.getAttribute('xml:lang') || '')
    .trim()
    .replace(/_/g, '-');
  return /^[a-z]{2,3}(-[a-z0-9]{1,8})*$/i.test(language) ? language : undefined;
}

const absoluteIfAny = (url: string | undefined, absolute: (url: string) => string): string | undefined =>
  url === undefined ? undefined : absolute(url);

const present = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''));
