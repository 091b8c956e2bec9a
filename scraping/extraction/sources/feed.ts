import { Parser } from 'htmlparser2';
import { escapeHtml } from '../../../core/escape-html.ts';
import { parseUrl } from '../../../core/parse-url.ts';

/** Whether XML is an RSS, RDF or Atom feed, judged by its root element. */
export const isFeed = (xml: string): boolean => ROOT.test(xml.slice(0, 10_000));

const ROOT =
  /^\s*(?:<\?[^>]*\?>\s*|<!--[^-]*(?:-[^-]+)*-->\s*|<!DOCTYPE[^>[]*(?:\[[^\]]*\])?[^>]*>\s*)*<(?:rss[\s>]|rdf:RDF[\s>]|feed[\s>]|[\w-]+:feed\s[^>]*http:\/\/(?:www\.w3\.org\/2005\/Atom|purl\.org\/atom))/i;

/**
 * A feed as an HTML page: its title, and per entry a linked heading, date and content. Null for
 * other XML.
 *
 * @param url of the feed, the base of a relative `xml:base`
 */
export function feedAsHtml(xml: string, url?: string): string | null {
  const reading = new FeedReading(url);
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (!reading.open(name, attributes)) parser.pause();
      },
      onclosetag: () => reading.close(),
      ontext: (text) => reading.text(text),
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.end(xml);
  return reading.isFeed ? renderPage(reading.feed(), reading.entries()) : null;
}

interface Fields {
  /** HTML or URL, by element name. */
  values: Map<string, string>;
  /** `rel` of the chosen link; `alternate` replaces any other. */
  rel: string | null;
}

/** The field being read: its owner, its depth and how to read its text. */
interface Field {
  of: Fields;
  name: string;
  level: number;
  html: string;
  /** Text since the last tag. */
  text: string;
  isText: boolean;
  base: string | null;
}

interface Open {
  /** Normalized to the feed's own vocabulary. */
  name: string;
  base: string | null;
}

/** More levels than markup in an entry has; the parser's time per tag grows with depth. */
const MAX_LEVELS = 200;
const MAX_ENTRIES = 2000;

/** Conventional prefixes by namespace. */
const VOCABULARIES: readonly (readonly [RegExp, string])[] = [
  [/^http:\/\/(www\.w3\.org\/2005\/Atom|purl\.org\/atom)/, 'atom'],
  [/^http:\/\/purl\.org\/rss\/1\.0\/modules\/content/, 'content'],
  [/^http:\/\/purl\.org\/dc\//, 'dc'],
  [/^http:\/\/purl\.org\/rss\/1\.0\/$/, 'rss'],
];

const ENTRY = /^(item|entry)$/;

class FeedReading {
  isFeed = false;
  readonly #open: Open[] = [];
  readonly #prefixes = new Map<string, string>();
  readonly #feed: Fields = { values: new Map(), rel: null };
  readonly #entries: Fields[] = [];
  #entry: Fields | null = null;
  #field: Field | null = null;

  constructor(private readonly url: string | undefined) {}

  feed(): Fields {
    return this.#feed;
  }

  entries(): readonly Fields[] {
    return this.#entries;
  }

  /** @returns false if reading on is useless */
  open(rawName: string, attributes: Record<string, string>): boolean {
    for (const [name, value] of Object.entries(attributes)) {
      if (!name.startsWith('xmlns')) continue;
      const vocabulary = VOCABULARIES.find(([uri]) => uri.test(value))?.[1];
      if (vocabulary) this.#prefixes.set(name.slice('xmlns:'.length), vocabulary);
    }
    const name = this.#localName(rawName);
    const level = this.#open.length;
    if (level === 0) this.isFeed = name === 'rss' || name === 'rdf:rdf' || name === 'feed';
    const parent = this.#open.at(-1);
    const base = this.#resolved(attributes['xml:base'], parent?.base ?? null);
    this.#open.push({ name, base });
    if (!this.isFeed || level > MAX_LEVELS) return false;
    if (this.#field) {
      endText(this.#field, level);
      this.#field.html += tag(rawName, attributes);
      return true;
    }
    if ((name === 'item' || name === 'entry') && level <= 2) {
      if (this.#entries.length >= MAX_ENTRIES) return false;
      this.#entry = { values: new Map(), rel: null };
      this.#entries.push(this.#entry);
      return true;
    }
    const isInEntry = parent?.name === 'item' || parent?.name === 'entry';
    const of = isInEntry
      ? this.#entry
      : parent?.name === 'channel' || parent?.name === 'feed'
        ? this.#feed
        : null;
    if (of) this.#begin(of, name, attributes, base);
    return true;
  }

  text(text: string): void {
    // The parser emits an entity as a text event of its own; joined texts may form another entity.
    if (this.#field) this.#field.text += text;
    else if (this.#entry && ENTRY.test(this.#open.at(-1)?.name ?? '') && text.trim() !== '') {
      const { values } = this.#entry;
      values.set(OWN_TEXT, (values.get(OWN_TEXT) ?? '') + escaped(text));
    }
  }

  close(): void {
    const closed = this.#open.pop();
    const field = this.#field;
    if (field) {
      endText(field, this.#open.length + 1);
      if (this.#open.length > field.level) field.html += `</${closed?.name.replace(/^\w+:/, '')}>`;
      else {
        this.#field = null;
        const html = field.html.trim();
        const isNew = html !== '' && !field.of.values.has(field.name);
        if (isNew) field.of.values.set(field.name, resolveBase(html, field.name, field.base));
      }
    } else if (closed?.name === 'item' || closed?.name === 'entry') this.#entry = null;
  }

  #begin(of: Fields, name: string, attributes: Record<string, string>, base: string | null): void {
    const { href, rel = 'alternate', type, src, isPermaLink } = attributes;
    if (name === 'link' && href !== undefined) {
      // Only `alternate` is the page; any other link is better than none, except those to the feed
      // itself or its editor.
      const isBetter = of.rel === null || (of.rel !== 'alternate' && rel === 'alternate');
      if (isBetter && !/^(self|edit|edit-media|hub|next|previous|first|last|replies|enclosure)$/.test(rel)) {
        of.values.set('link', this.#resolved(href, base) ?? href);
        of.rel = rel;
      }
      return;
    }
    if (name === 'guid' && /^false$/i.test(isPermaLink?.trim() ?? '')) return;
    if (name === 'content' && src !== undefined && of.values.get('link') === undefined)
      of.values.set('source', this.#resolved(src, base) ?? src);
    this.#field = {
      ...{ of, name, level: this.#open.length - 1, html: '', text: '', base },
      isText: type === 'text' || name === 'link' || name === 'guid',
    };
  }

  /** Names of the feed's own vocabulary lose their prefix. */
  #localName(rawName: string): string {
    const colon = rawName.indexOf(':');
    const prefix = colon < 0 ? '' : rawName.slice(0, colon);
    const local = rawName.slice(colon + 1).toLowerCase();
    const vocabulary = colon < 0 ? '' : (this.#prefixes.get(prefix) ?? prefix.toLowerCase());
    const isOwn =
      vocabulary === '' || vocabulary === 'rss' || (vocabulary === 'atom' && this.#open[0]?.name !== 'rss');
    return isOwn ? local : `${vocabulary}:${local}`;
  }

  #resolved(address: string | undefined, base: string | null): string | null {
    if (address === undefined) return base;
    const from = base ?? this.url;
    const resolved = from === undefined ? null : parseUrl(address, from);
    if (resolved) return resolved.href;
    return base === null && !parseUrl(address) ? null : address;
  }
}

/**
 * Text inside nested markup is text; directly in the field it may be escaped markup.
 *
 * @param level depth of the open element
 */
function endText(field: Field, level: number): void {
  field.html += field.isText || level > field.level + 1 ? escaped(field.text) : field.text;
  field.text = '';
}

/** Escapes text so that it cannot become HTML. A `&` that begins no entity stays. */
const escaped = (text: string): string => text.replace(/&(?=#?\w+;)/g, '&amp;').replace(/</g, '&lt;');

const tag = (name: string, attributes: Record<string, string>): string =>
  `<${name.replace(/^\w+:/, '')}${Object.entries(attributes)
    .filter(([attribute]) => !attribute.startsWith('xml'))
    .map(([attribute, value]) => ` ${attribute}="${escapeHtml(value)}"`)
    .join('')}>`;

/** Resolves URLs against `xml:base`: a link, and those in HTML content. */
function resolveBase(html: string, name: string, base: string | null): string {
  if (base === null) return html;
  const resolved = (address: string) => parseUrl(address, base)?.href ?? address;
  if (name === 'link') return resolved(html);
  return html.replace(
    /(\s(?:href|src)\s*=\s*)(["'])([^"'<>]*)\2/gi,
    (_, before: string, quote: string, address: string) => `${before}${quote}${resolved(address)}${quote}`,
  );
}

function renderPage({ values }: Fields, entries: readonly Fields[]): string {
  const title = values.get('title') ?? '';
  const description = values.get('description') ?? values.get('subtitle') ?? values.get('tagline') ?? '';
  return [
    `<!DOCTYPE html><html><head><title>${withoutTags(title)}</title>`,
    description ? `<meta name="description" content="${attributeText(description)}">` : '',
    `</head><body><main><h1>${title}</h1>${description ? `<p>${description}</p>` : ''}\n${entries.map(renderEntry).join('\n')}</main></body></html>`,
  ].join('');
}

/** Full content before summaries. */
const OWN_TEXT = '#text';
const CONTENTS = ['content:encoded', 'content', 'description', 'summary', OWN_TEXT];
const DATES = ['pubdate', 'published', 'issued', 'updated', 'modified', 'dc:date'];

function renderEntry({ values }: Fields): string {
  const first = (names: readonly string[]) => names.map((name) => values.get(name)).find((value) => value);
  const title = values.get('title') ?? 'Untitled';
  const guid = values.get('guid') ?? '';
  const link = values.get('link') ?? (/^https?:/i.test(guid) ? guid : values.get('source'));
  const date = first(DATES);
  const heading = link ? `<a href="${attributeText(link)}">${title}</a>` : title;
  const time = date ? `<p><time>${date}</time></p>` : '';
  return `<section><h2>${heading}</h2>${time}<div>${first(CONTENTS) ?? ''}</div></section>`;
}

const withoutTags = (html: string): string => html.replace(/<[^<>]*>/g, '');

const attributeText = (html: string): string =>
  withoutTags(html)
    .replace(/&(?!\w+;|#)/g, '&amp;')
    .replace(/"/g, '&quot;');

/** Whether JSON declares itself a feed (jsonfeed.org) in its first 4000 characters. */
export const isJsonFeed = (json: string): boolean =>
  /"version"\s*:\s*"https?:\\?\/\\?\/jsonfeed\.org\\?\/version\\?\//.test(json.slice(0, 4000));

/** Null if it is not JSON. */
export function jsonFeedAsHtml(json: string): string | null {
  try {
    const feed = record(JSON.parse(json));
    const items = Array.isArray(feed.items) ? feed.items.slice(0, MAX_ENTRIES).map(record) : [];
    const fields = (
      of: Record<string, unknown>,
      names: Readonly<Record<string, readonly string[]>>,
    ): Fields => {
      const values = new Map<string, string>();
      for (const [name, keys] of Object.entries(names)) {
        const key = keys.find((each) => typeof of[each] === 'string' && of[each] !== '');
        if (key) values.set(name, key === 'content_html' ? String(of[key]) : escapeHtml(String(of[key])));
      }
      return { values, rel: null };
    };
    const entries = items.map((item) =>
      fields(item, {
        title: ['title'],
        link: ['url', 'external_url'],
        published: ['date_published', 'date_modified'],
        content: ['content_html', 'content_text', 'summary'],
      }),
    );
    return renderPage(fields(feed, { title: ['title'], description: ['description'] }), entries);
  } catch {
    return null;
  }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
