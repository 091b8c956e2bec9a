export const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

/** Without a BOM Excel reads UTF-8 as the machine's code page. */
const BYTE_ORDER_MARK = '\uFEFF';

/** RFC 4180 plus a BOM and formula escapes for spreadsheets. */
export async function* csv<Row>(
  columns: readonly string[],
  cellsOf: (row: Row) => string[],
  rows: AsyncIterable<Row>,
): AsyncGenerator<string> {
  yield `${BYTE_ORDER_MARK}${line(columns)}`;
  for await (const row of rows) yield line(cellsOf(row));
}

const line = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;

/**
 * Cells come from third-party sites, so one that a spreadsheet would run as a formula gets a
 * leading apostrophe. Phone numbers get one too and keep their plus and digits: Excel shows
 * `4.93E+11` else.
 */
export function cell(text: string): string {
  const safe = /^[\s\p{Cc}]*[=+\-@＝＋－＠]/u.test(text) || /^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
