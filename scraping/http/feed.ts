/**
 * An RSS, RDF or Atom feed as the page it would be: its title, and for each entry a heading that links, its date and its summary.
 * Read by hand, because an HTML parser takes `<link>` for an empty element. Null for other XML.
 */
export function feedAsHtml(xml: string): string | null {
  const root = /<(?:rss|rdf:RDF|feed)[\s>]/i.exec(xml.slice(0, 10_000));
  if (!root) return null;
  const entries = blocksOf(xml, 'item', root.index);
  const found = entries.length > 0 ? entries : blocksOf(xml, 'entry', root.index);
  const head = xml.slice(root.index, found[0]?.from ?? xml.length);
  const title = contentOf(head, 'title');
  const description = contentOf(head, 'description') || contentOf(head, 'subtitle');
  const articles = found.map(({ text }) => articleOf(text)).join('\n');
  return [
    `<!DOCTYPE html><html><head><title>${title}</title>`,
    description ? `<meta name="description" content="${attributeText(description)}">` : '',
    `</head><body><main><h1>${title}</h1>${description ? `<p>${description}</p>` : ''}\n${articles}</main></body></html>`,
  ].join('');
}

function articleOf(entry: string): string {
  const title = contentOf(entry, 'title') || 'Untitled';
  const link = linkOf(entry);
  const date =
    contentOf(entry, 'pubDate') ||
    contentOf(entry, 'published') ||
    contentOf(entry, 'updated') ||
    contentOf(entry, 'dc:date');
  const summary =
    contentOf(entry, 'description') ||
    contentOf(entry, 'content:encoded') ||
    contentOf(entry, 'summary') ||
    contentOf(entry, 'content');
  const heading = link ? `<a href="${attributeText(link)}">${title}</a>` : title;
  const time = date ? `<p><time>${date}</time></p>` : '';
  return `<section><h2>${heading}</h2>${time}<div>${summary}</div></section>`;
}

const MOST_ENTRIES = 2000;

/** The contents of the elements of this name, from end to end of the text: what is never closed is looked for once. */
function blocksOf(xml: string, name: string, start: number): { from: number; text: string }[] {
  const blocks: { from: number; text: string }[] = [];
  const opening = new RegExp(`<${name}(?:\\s[^>]{0,2000})?>`, 'gi');
  opening.lastIndex = start;
  for (let open = opening.exec(xml); open && blocks.length < MOST_ENTRIES; open = opening.exec(xml)) {
    const close = xml.indexOf(`</${name}>`, opening.lastIndex);
    if (close < 0) break;
    blocks.push({ from: open.index, text: xml.slice(opening.lastIndex, close) });
    opening.lastIndex = close;
  }
  return blocks;
}

/** Of the first element of this name, as HTML: CDATA and escaped markup are both what they say. */
function contentOf(xml: string, name: string): string {
  const opening = new RegExp(`<${name}(?:\\s[^>]{0,2000})?>`, 'i').exec(xml);
  if (!opening) return '';
  const from = opening.index + opening[0].length;
  const close = xml.indexOf(`</${name}>`, from);
  const content = close < 0 ? '' : xml.slice(from, close).trim();
  if (content.startsWith('<![CDATA[')) return content.slice(9, content.lastIndexOf(']]>')).trim();
  // Markup of its own (XHTML in Atom) stays; escaped markup becomes markup.
  return content.includes('<') ? content : unescapeOnce(content);
}

function linkOf(entry: string): string {
  const text = contentOf(entry, 'link');
  if (text) return text;
  const links = entry.match(/<link\s[^>]{0,2000}>/gi) ?? [];
  const chosen = links.find((link) => /\brel\s*=\s*["']alternate/i.test(link)) ?? links[0];
  return unescapeOnce(/\bhref\s*=\s*["']([^"']*)/i.exec(chosen ?? '')?.[1] ?? '');
}

const unescapeOnce = (text: string): string =>
  text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: keyof typeof ENTITIES) => ENTITIES[name]);
const ENTITIES = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

const attributeText = (html: string): string =>
  html
    .replace(/<[^>]{0,2000}>/g, '')
    .replace(/&(?!\w+;|#)/g, '&amp;')
    .replace(/"/g, '&quot;');
