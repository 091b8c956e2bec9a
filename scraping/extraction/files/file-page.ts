import type { ErrorInfo } from '../../../core/errors.ts';
import { escapeHtml } from '../../../core/escape-html.ts';
import { withHeaderRows } from './table.ts';

/** A file as an HTML page, from which all formats are made. */
export interface FilePage {
  /** Content of the page's body. */
  body: string;
  /** What the file says about itself. */
  about: FileAbout;
  /** Why `body` is empty or incomplete; null if it is neither. */
  error: ErrorInfo | null;
}

export interface FileAbout {
  title?: string | undefined;
  authors?: string[] | undefined;
  description?: string | undefined;
  keywords?: string | undefined;
  /** BCP 47. */
  language?: string | undefined;
  /** ISO 8601. */
  published?: string | undefined;
  modified?: string | undefined;
  /** The program that made it. */
  generator?: string | undefined;
  /** Of the file's kind: `pages`, `sheets`, `width`. */
  counts?: Record<string, number | string | string[]> | undefined;
}

export const pageOf = ({ body, about }: Pick<FilePage, 'body' | 'about'>): string =>
  `<!DOCTYPE html><html${about.language ? ` lang="${escapeHtml(about.language)}"` : ''}><head><meta charset="utf-8"><title>${escapeHtml(about.title ?? '')}</title></head><body><main>${withHeaderRows(body)}</main></body></html>`;

/** One name per author: files separate them by semicolons, some by commas. */
export function authorsIn(text: string | null | undefined): string[] | undefined {
  const names = (text ?? '')
    .slice(0, 2000)
    .split(/\s*;\s*/)
    .map((name) => name.replace(/\s+/g, ' ').trim())
    .filter((name) => name !== '' && name.length <= 100 && !NOBODY.test(name));
  return names.length > 0 ? [...new Set(names)].slice(0, 10) : undefined;
}

/** Values that programs fill in by themselves. */
const NOBODY =
  /^(user|admin|administrator|unknown|author|default|owner|home|pc|windows user|microsoft office user|python-docx|openpyxl|apache poi|root|test)$/i;

/** The title a file names, if it is one: programs fill in the name of the source file. */
export function titleIn(text: string | null | undefined): string | undefined {
  const title = (text ?? '').replace(/\s+/g, ' ').trim().slice(0, 500);
  const isName =
    /^(microsoft (word|powerpoint|excel) - .*|untitled.*|unbenannt.*|sans titre.*|document\d*|dokument\d*|presentation\d*|powerpoint[- ]\w+|slide 1|workbook\d*|.*\.(docx?|xlsx?|pptx?|indd|qxp|qxd|tex|dvi|pdf|odt|rtf|pages|cdr|ai|eps))$/i;
  return title === '' || isName.test(title) || !/[\p{L}\p{N}]/u.test(title) ? undefined : title;
}
