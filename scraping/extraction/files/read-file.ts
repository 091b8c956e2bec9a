import { PageFailure, pageError } from '../../../core/jobs/page-errors.ts';
import { delimitedAsTable } from './delimited.ts';
import type { FileKind } from './file-kind.ts';
import type { FilePage } from './file-page.ts';
import type { FileLimits } from './limits.ts';

/** A file and what is known about it. */
export type FileSource = { url: string } & (
  | { kind: FileKind; bytes: Uint8Array }
  /** CSV and the like, decoded; the delimiter is found if it is unset. */
  | { kind: 'delimited'; text: string; delimiter?: string | undefined }
);

/**
 * A file as a page. Each kind's module is loaded with its first file.
 *
 * @throws PageFailure `file_unreadable`, `file_encrypted`, `page_too_large`
 */
export async function readFile(file: FileSource, limits: FileLimits): Promise<FilePage> {
  if (file.kind === 'delimited') return delimitedAsPage(file, limits);
  const { kind, bytes, url } = file;
  switch (kind) {
    case 'pdf':
      return await (await import('./pdf/pdf.ts')).pdfAsPage(bytes, limits);
    case 'docx':
      return await (await import('./office/word.ts')).wordAsPage(bytes, limits);
    case 'xlsx':
      return (await import('./office/workbook.ts')).workbookAsPage(bytes, limits);
    case 'pptx':
      return (await import('./office/presentation.ts')).presentationAsPage(bytes, limits);
    case 'opendocument':
      return (await import('./office/open-document.ts')).openDocumentAsPage(bytes, limits);
    case 'epub':
      return (await import('./epub.ts')).epubAsPage(bytes, limits);
    case 'rtf':
      return (await import('./rtf.ts')).rtfAsPage(bytes);
    case 'image':
      return (await import('./image.ts')).imageAsPage(bytes, url);
    case 'encrypted':
      throw new PageFailure('file_encrypted');
    default:
      return kind satisfies never;
  }
}

function delimitedAsPage(
  { text, delimiter }: Extract<FileSource, { kind: 'delimited' }>,
  limits: FileLimits,
): FilePage {
  const { table, cutAt } = delimitedAsTable(text, limits, delimiter);
  return {
    body: table,
    about: {},
    error:
      cutAt !== null
        ? pageError('page_too_large', `only the first ${cutAt} rows of the file are read`)
        : table === ''
          ? pageError('file_without_text')
          : null,
  };
}
