import { COLUMN_NAMES, cellsOf, type TableLead } from './columns.ts';

export const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

/** Without it Excel reads UTF-8 as the machine's own code page. */
const BYTE_ORDER_MARK = '\uFEFF';

/** RFC 4180, with what spreadsheets need beside it. */
export async function* csv(leads: AsyncIterable<TableLead>): AsyncGenerator<string> {
  yield `${BYTE_ORDER_MARK}${line([...COLUMN_NAMES])}`;
  for await (const lead of leads) yield line(cellsOf(lead));
}

const line = (cells: string[]): string => `${cells.map(cell).join(',')}\r\n`;

/**
 * A cell that a spreadsheet would take for a formula begins with an apostrophe: what is in it comes from strangers' sites. Phones are
 * such cells too, which keeps their plus and their digits: Excel would make `4.93E+11` of one.
 */
export function cell(text: string): string {
  const safe = /^[\s\p{Cc}]*[=+\-@＝＋－＠]/u.test(text) || /^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
