import { read, type WorkBook, type WorkSheet } from '@e965/xlsx';
import { escapeHtml } from '../../../../core/escape-html.ts';
import { PageFailure, pageError } from '../../../../core/jobs/page-errors.ts';
import { parseUrl } from '../../../../core/parse-url.ts';
import { openArchive } from '../archive.ts';
import { authorsIn, type FileAbout, type FilePage, titleIn } from '../file-page.ts';
import type { FileLimits } from '../limits.ts';
import { rowsAsTable } from '../table.ts';

/**
 * A spreadsheet (XLSX, XLSB, XLS, ODS) as a page: a heading and a table per visible sheet, with
 * numbers and dates as the spreadsheet shows them.
 */
export function workbookAsPage(bytes: Uint8Array, limits: FileLimits): FilePage {
  const isZip = bytes[0] === 0x50;
  const packed = isZip ? openArchive(bytes, limits).stored() : bytes;
  const book = parse(packed, limits.rows + 1);
  const visible = book.SheetNames.filter((_, at) => !book.Workbook?.Sheets?.[at]?.Hidden);
  const budget = { rows: limits.rows, cells: MAX_CELLS, isCut: false };
  const body = visible.map((name) => {
    const sheet = book.Sheets[name];
    const table = sheet ? sheetAsTable(sheet, budget) : '';
    return `<h2>${escapeHtml(name)}</h2>\n${table}`;
  });
  return {
    body: body.join('\n'),
    about: { ...aboutBook(book), counts: { sheets: visible } },
    error: budget.isCut
      ? pageError('page_too_large', `only the first ${limits.rows - budget.rows} rows of the file are read`)
      : null,
  };
}

const MAX_CELLS = 200_000;
/** The last column that spreadsheets know; references beyond it are forged. */
const MAX_COLUMN = 16_384;

function parse(bytes: Uint8Array, sheetRows: number): WorkBook {
  try {
    return read(bytes, {
      ...{ type: 'array', dense: true, sheetRows, cellHTML: false, cellFormula: false, cellText: true },
      // Without a country a day shown as `1/2/26` is ambiguous.
      dateNF: 'yyyy-mm-dd',
    });
  } catch (cause) {
    const isLocked = cause instanceof Error && /password|encrypt/i.test(cause.message);
    throw new PageFailure(isLocked ? 'file_encrypted' : 'file_unreadable', undefined, { cause });
  }
}

interface Budget {
  rows: number;
  cells: number;
  isCut: boolean;
}

/** The sheet without its empty rows and columns. */
function sheetAsTable(sheet: WorkSheet, budget: Budget): string {
  const data = (sheet['!data'] ?? []) as Cell[][];
  const columns = new Set<number>();
  const rows: Map<number, string>[] = [];
  // Sparse: a forged reference makes an array of any length.
  data.forEach((cells) => {
    if (budget.isCut) return;
    const row = new Map<number, string>();
    cells?.forEach((cell, column) => {
      const html = column < MAX_COLUMN ? cellAsHtml(cell) : '';
      if (html !== '') row.set(column, html);
    });
    if (row.size === 0) return;
    for (const column of row.keys()) columns.add(column);
    budget.isCut = rows.length >= budget.rows || (rows.length + 1) * columns.size > budget.cells;
    if (!budget.isCut) rows.push(row);
  });
  if (sheet['!fullref'] !== undefined && sheet['!fullref'] !== sheet['!ref']) budget.isCut = true;
  budget.rows -= rows.length;
  budget.cells -= rows.length * columns.size;
  const shown = [...columns].sort((a, b) => a - b);
  return rowsAsTable(rows.map((row) => shown.map((column) => row.get(column) ?? '')));
}

interface Cell {
  /** As shown. */
  w?: string;
  v?: unknown;
  l?: { Target?: string };
}

function cellAsHtml(cell: Cell | undefined): string {
  if (!cell) return '';
  const { v, w } = cell;
  // A narrow cell shows an article number as 1.23457E+12.
  const isRounded = w !== undefined && /\dE\+/.test(w) && Number.isSafeInteger(v);
  const text = (isRounded ? String(v) : (w ?? (v === undefined || v === null ? '' : String(v)))).trim();
  if (text === '') return '';
  const html = escapeHtml(text).replace(/\r?\n/g, '<br>');
  const target = cell.l?.Target;
  const isLink = target !== undefined && /^(https?|mailto|tel):/i.test(target) && parseUrl(target) !== null;
  return isLink ? `<a href="${escapeHtml(target)}">${html}</a>` : html;
}

function aboutBook({ Props }: WorkBook): FileAbout {
  const moment = (value: unknown) => {
    const date = value instanceof Date ? value : typeof value === 'string' ? new Date(value) : null;
    return date && !Number.isNaN(date.getTime()) ? date.toISOString() : undefined;
  };
  return {
    title: titleIn(Props?.Title),
    authors: authorsIn(Props?.Author),
    description: Props?.Comments || Props?.Subject || undefined,
    keywords: Props?.Keywords || undefined,
    published: moment(Props?.CreatedDate),
    modified: moment(Props?.ModifiedDate),
    generator: Props?.Application || undefined,
  };
}
