import { escapeHtml } from '../../../../core/escape-html.ts';
import { PageFailure } from '../../../../core/jobs/page-errors.ts';
import { parseUrl } from '../../../../core/parse-url.ts';
import { openArchive } from '../archive.ts';
import { authorsIn, type FileAbout, type FilePage, titleIn } from '../file-page.ts';
import type { FileLimits } from '../limits.ts';
import { languageIn, momentIn } from './core-properties.ts';
import { readXml, textsIn } from './xml.ts';

/** An ODT or ODP as a page: headings, paragraphs, lists, tables and links. */
export function openDocumentAsPage(bytes: Uint8Array, limits: FileLimits): FilePage {
  const archive = openArchive(bytes, limits);
  if (archive.text('META-INF/manifest.xml').includes('encryption-data'))
    throw new PageFailure('file_encrypted');
  const content = archive.text('content.xml');
  if (content === '') throw new PageFailure('file_unreadable');
  return {
    body: contentAsHtml(content),
    about: aboutDocument(archive.text('meta.xml')),
    error: null,
  };
}

function aboutDocument(meta: string): FileAbout {
  const texts = textsIn(meta, [
    ...['dc:title', 'dc:creator', 'meta:initial-creator', 'dc:subject', 'dc:description', 'dc:language'],
    ...['dc:date', 'meta:creation-date', 'meta:keyword', 'meta:generator'],
  ]);
  const of = (name: string) => texts.get(name)?.trim().slice(0, 1000) || undefined;
  let pages: number | undefined;
  readXml(meta, {
    open: (name, attributes) => {
      const count = Number(attributes['meta:page-count']);
      if (name === 'meta:document-statistic' && Number.isSafeInteger(count) && count > 0) pages = count;
    },
  });
  return {
    title: titleIn(of('dc:title')),
    authors: authorsIn(of('meta:initial-creator') ?? of('dc:creator')),
    description: of('dc:description') ?? of('dc:subject'),
    keywords: of('meta:keyword'),
    language: languageIn(of('dc:language')),
    published: momentIn(of('meta:creation-date')),
    modified: momentIn(of('dc:date')),
    generator: of('meta:generator'),
    ...(pages === undefined ? {} : { counts: { pages } }),
  };
}

const TAGS: Readonly<Record<string, string>> = {
  ...{
    'text:p': 'p',
    'text:list': 'ul',
    'text:list-item': 'li',
    'table:table': 'table',
    'table:table-row': 'tr',
  },
  ...{ 'table:table-cell': 'td', 'table:covered-table-cell': 'td', 'draw:page': 'section' },
};
/** Not content: what was deleted, comments, the number of a footnote. */
const LEFT_OUT = new Set([
  'text:tracked-changes',
  'office:annotation',
  'text:note-citation',
  'presentation:notes',
]);
const MAX_SPACES = 100;

function contentAsHtml(xml: string): string {
  let html = '';
  let leftOut = 0;
  let isBody = false;
  const open: string[] = [];
  readXml(xml, {
    open: (name, attributes) => {
      if (LEFT_OUT.has(name)) leftOut += 1;
      if (name === 'office:body') isBody = true;
      let closing = '';
      if (isBody && leftOut === 0) {
        const tag = name === 'text:h' ? `h${headingLevel(attributes['text:outline-level'])}` : TAGS[name];
        const href = attributes['xlink:href'] ?? '';
        if (tag) [html, closing] = [`${html}<${tag}>`, `</${tag}>\n`];
        else if (name === 'text:a' && /^(https?|mailto|tel):/i.test(href) && parseUrl(href))
          [html, closing] = [`${html}<a href="${escapeHtml(href)}">`, '</a>'];
        else if (name === 'text:line-break') html += '<br>';
        else if (name === 'text:tab') html += ' ';
        else if (name === 'text:s')
          html += ' '.repeat(Math.min(MAX_SPACES, Number(attributes['text:c'] ?? 1) || 1));
      }
      open.push(closing);
    },
    text: (text) => {
      if (isBody && leftOut === 0) html += escapeHtml(text);
    },
    close: (name) => {
      html += open.pop() ?? '';
      if (LEFT_OUT.has(name)) leftOut -= 1;
      if (name === 'office:body') isBody = false;
    },
  });
  return html;
}

const headingLevel = (level: string | undefined): number => Math.min(6, Math.max(1, Number(level) || 1));
