import { absoluteUrl, collapsed, select } from './dom.ts';

/** What a page says of itself in its head. A field the page does not give is absent. */
export function metadataOf(
  document: Document,
  page: { title: string; url: string; charset: string },
): Record<string, unknown> {
  const tags = metaTags(document);
  const first = (...names: string[]) => names.map((name) => tags.get(name)).find(Boolean);
  const link = (rel: string) =>
    document.querySelector(`link[rel~="${rel}"][href]`)?.getAttribute('href') ?? undefined;
  const icon = link('icon') ?? link('apple-touch-icon') ?? absoluteUrl('/favicon.ico', page.url);

  return present({
    title: page.title || undefined,
    description: first('description', 'og:description', 'twitter:description'),
    language:
      document.documentElement?.getAttribute('lang') ||
      first('content-language', 'og:locale')?.replace('_', '-'),
    canonical: link('canonical'),
    charset: page.charset || undefined,
    author: first('author', 'article:author', 'dc.creator'),
    keywords: first('keywords'),
    published: first('article:published_time', 'datepublished', 'date', 'dc.date', 'pubdate'),
    modified: first('article:modified_time', 'og:updated_time', 'datemodified', 'last-modified'),
    robots: first('robots'),
    generator: first('generator'),
    favicon: icon ?? undefined,
    opengraph: group(tags, 'og:'),
    twitter: group(tags, 'twitter:'),
    json_ld: jsonLd(document),
  });
}

const MAX_VALUE = 5000;

function metaTags(document: Document): Map<string, string> {
  const tags = new Map<string, string>();
  for (const tag of select(document, 'meta[content]')) {
    const name = (
      tag.getAttribute('property') ??
      tag.getAttribute('name') ??
      tag.getAttribute('itemprop') ??
      tag.getAttribute('http-equiv') ??
      ''
    ).toLowerCase();
    const value = collapsed(tag.getAttribute('content')).slice(0, MAX_VALUE);
    // The first one counts, as it does for those who read these tags.
    if (name && value && !tags.has(name)) tags.set(name, value);
  }
  return tags;
}

function group(tags: ReadonlyMap<string, string>, prefix: string): Record<string, string> | undefined {
  const found = [...tags]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length), value]);
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

const MAX_JSON_LD = 512 * 1024;

function jsonLd(document: Document): unknown[] | undefined {
  const found: unknown[] = [];
  let size = 0;
  for (const script of select(document, 'script[type="application/ld+json"]')) {
    const text = script.textContent ?? '';
    size += text.length;
    if (size > MAX_JSON_LD) break;
    try {
      found.push(JSON.parse(text.replace(/^\s*(<!--|\/\/\s*<!\[CDATA\[)|(-->|\/\/\s*\]\]>)\s*$/g, '')));
    } catch {
      // Many pages have broken ones; the others still count.
    }
  }
  return found.length > 0 ? found : undefined;
}

const present = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''));
