export const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

/** Without a BOM Excel reads UTF-8 as the machine's code page. */
const BYTE_ORDER_MARK = '\uFEFF';

export interface CsvOptions {
  /**
   * Default true: a BOM, and an apostrophe before phone numbers. False is for programs, which read
   * both as part of the value; formulas are escaped all the same.
   */
  excel?: boolean;
}

/** RFC 4180 plus a BOM and formula escapes for spreadsheets. */
export async function* csv<Row>(
  columns: readonly string[],
  cellsOf: (row: Row) => string[],
  rows: AsyncIterable<Row>,
  { excel = true }: CsvOptions = {},
): AsyncGenerator<string> {
  const line = (cells: readonly string[]) => `${cells.map((text) => cell(text, { excel })).join(',')}\r\n`;
  yield `${excel ? BYTE_ORDER_MARK : ''}${line(columns)}`;
  for await (const row of rows) yield line(cellsOf(row));
}

/**
 * Cells come from third-party sites, so one that a spreadsheet would run as a formula gets a
 * leading apostrophe. Phone numbers get one too and keep their plus and digits: Excel shows
 * `4.93E+11` else.
 */
export function cell(text: string, { excel = true }: CsvOptions = {}): string {
  const isFormula = /^[\s\p{Cc}]*[=+\-@＝＋－＠]/u.test(text) || /^[\t\r\n]/.test(text);
  const safe = isFormula && (excel || !PHONES.test(text)) ? `'${text}` : text;
  return /[",\r\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Numbers in E.164: a spreadsheet that takes one for a formula computes nothing but the number. */
const PHONES = /^\+\d{4,15}(?:; \+\d{4,15})*$/;
