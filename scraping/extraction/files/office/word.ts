import mammoth from 'mammoth';
import { escapeHtml } from '../../../../core/escape-html.ts';
import { PageFailure } from '../../../../core/jobs/page-errors.ts';
import { type Archive, openArchive } from '../archive.ts';
import type { FilePage } from '../file-page.ts';
import type { FileLimits } from '../limits.ts';
import { coreProperties } from './core-properties.ts';
import { readXml } from './xml.ts';

/** A DOCX as a page, with the letterhead that its headers and footers are. */
export async function wordAsPage(bytes: Uint8Array, limits: FileLimits): Promise<FilePage> {
  const archive = openArchive(bytes, limits);
  try {
    const { value } = await mammoth.convertToHtml(
      { buffer: Buffer.from(archive.stored()) },
      {
        styleMap: ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh", 'u => u'],
        convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
        externalFileAccess: false,
      },
    );
    const [before, after] = [marginText(archive, 'header'), marginText(archive, 'footer')];
    return {
      body: `${before}${value.replace(/<img [^>]*src=""[^>]*>/g, '')}${after}`,
      about: coreProperties(archive),
      error: null,
    };
  } catch (cause) {
    throw new PageFailure('file_unreadable', undefined, { cause });
  }
}

const MAX_MARGINS = 12;

/** The distinct paragraphs of the headers or footers. */
function marginText(archive: Archive, place: 'header' | 'footer'): string {
  const parts = archive.paths
    .filter((path) => new RegExp(`^word/${place}\\d*\\.xml$`).test(path))
    .slice(0, MAX_MARGINS);
  const paragraphs = new Set(parts.flatMap((path) => paragraphsIn(archive.text(path))));
  if (paragraphs.size === 0) return '';
  return `<${place}>${[...paragraphs].map((text) => `<p>${escapeHtml(text).replaceAll('\n', '<br>')}</p>`).join('')}</${place}>`;
}

function paragraphsIn(xml: string): string[] {
  const paragraphs: string[] = [];
  let text = '';
  let isText = false;
  let fields = 0;
  readXml(xml, {
    open: (name, attributes) => {
      if (name === 'w:t') isText = true;
      else if (name === 'w:tab') text += ' ';
      else if (name === 'w:br') text += '\n';
      // Page numbers are fields.
      else if (name === 'w:fldChar')
        fields +=
          attributes['w:fldCharType'] === 'begin' ? 1 : attributes['w:fldCharType'] === 'end' ? -1 : 0;
    },
    text: (part) => {
      if (isText && fields <= 0) text += part;
    },
    close: (name) => {
      if (name === 'w:t') isText = false;
      if (name !== 'w:p') return;
      const line = text.replace(/[^\S\n]+/g, ' ').trim();
      if (/[\p{L}]/u.test(line)) paragraphs.push(line);
      text = '';
    },
  });
  return paragraphs;
}
