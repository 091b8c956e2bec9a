import { PageFailure, pageError } from '../../../core/jobs/page-errors.ts';
import { decodeUri } from '../../../core/text.ts';
import { type Archive, openArchive } from './archive.ts';
import { authorsIn, type FilePage, titleIn } from './file-page.ts';
import type { FileLimits } from './limits.ts';
import { languageIn, momentIn } from './office/core-properties.ts';
import { readXml, textsIn } from './office/xml.ts';

/** An EPUB as a page: its chapters in reading order. */
export function epubAsPage(bytes: Uint8Array, limits: FileLimits): FilePage {
  const archive = openArchive(bytes, limits);
  let packagePath = '';
  readXml(archive.text('META-INF/container.xml'), {
    open: (name, attributes) => {
      if (/(^|:)rootfile$/.test(name)) packagePath ||= attributes['full-path'] ?? '';
    },
  });
  const source = archive.text(packagePath);
  if (source === '') throw new PageFailure('file_unreadable');
  const about = textsIn(source, [
    'dc:title',
    'dc:creator',
    'dc:description',
    'dc:language',
    'dc:date',
    'dc:subject',
  ]);
  const of = (name: string) => about.get(name)?.trim().slice(0, 1000) || undefined;
  const chapters = chapterPaths(source, packagePath);
  const shown = chapters.slice(0, limits.pages);
  return {
    body: shown.map((path) => bodyOf(archive, path)).join('\n'),
    about: {
      title: titleIn(of('dc:title')),
      authors: authorsIn(of('dc:creator')),
      description: of('dc:description')?.replace(/<[^<>]*>/g, ''),
      keywords: of('dc:subject'),
      language: languageIn(of('dc:language')),
      published: momentIn(of('dc:date')),
      counts: { chapters: chapters.length },
    },
    error:
      shown.length < chapters.length
        ? pageError(
            'page_too_large',
            `only the first ${shown.length} of ${chapters.length} chapters are read`,
          )
        : null,
  };
}

function chapterPaths(source: string, packagePath: string): string[] {
  const items = new Map<string, string>();
  const paths: string[] = [];
  const folder = packagePath.replace(/[^/]*$/, '');
  readXml(source, {
    open: (rawName, attributes) => {
      const name = rawName.replace(/^\w+:/, '');
      if (name === 'item' && attributes.id && attributes.href) items.set(attributes.id, attributes.href);
      const href = name === 'itemref' ? items.get(attributes.idref ?? '') : undefined;
      if (href) paths.push(resolvePath(folder, href));
    },
  });
  return paths;
}

function resolvePath(folder: string, href: string): string {
  const parts: string[] = [];
  for (const part of `${folder}${href.replace(/[?#].*$/s, '')}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return decodeUri(parts.join('/'));
}

/** Pictures and links within the book lead nowhere. */
function bodyOf(archive: Archive, path: string): string {
  const html = archive.text(path);
  const start = /<body[^<>]*>/i.exec(html);
  if (!start) return '';
  const end = html.lastIndexOf('</body');
  const body = html.slice(start.index + start[0].length, end > start.index ? end : undefined);
  return `<section>${body
    .replace(/<(?:img|image|svg:image)\s[^<>]*>/gi, '')
    .replace(/(<a\b[^<>]*?)\shref\s*=\s*(["'])(?!https?:|mailto:|tel:)[^"'<>]*\2/gi, '$1')}</section>`;
}
