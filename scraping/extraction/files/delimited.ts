import Papa from 'papaparse';
import { escapeHtml } from '../../../core/escape-html.ts';
import type { FileLimits } from './limits.ts';
import { rowsAsTable } from './table.ts';

/**
 * A CSV or TSV as a table.
 *
 * @param delimiter unset: the one that its lines agree on
 */
export function delimitedAsTable(
  source: string,
  { rows }: Pick<FileLimits, 'rows'>,
  delimiter?: string,
): { table: string; cutAt: number | null } {
  // Excel writes and obeys such a line.
  const declared = /^\ufeff?sep=(.)\r?\n/i.exec(source);
  const text = declared ? source.slice(declared[0].length) : source.replace(/^\ufeff/, '');
  const chosen = declared?.[1] ?? delimiter ?? guessDelimiter(text);
  const { data } = Papa.parse<string[]>(text, {
    delimiter: chosen,
    skipEmptyLines: 'greedy',
    preview: rows + 1,
  });
  const width = data.reduce((most, row) => Math.max(most, Math.min(row.length, MAX_COLUMNS)), 0);
  const height = Math.min(rows, Math.floor(MAX_CELLS / Math.max(1, width)));
  const cells = data
    .slice(0, height)
    .map((row) =>
      Array.from({ length: width }, (_, at) => escapeHtml(row[at]?.trim() ?? '').replace(/\r?\n/g, '<br>')),
    );
  return { table: rowsAsTable(cells), cutAt: data.length > height ? height : null };
}

const MAX_COLUMNS = 2000;
const MAX_CELLS = 200_000;
const DELIMITERS = [',', ';', '\t', '|'];
const SAMPLE_CHARS = 50_000;
const SAMPLE_ROWS = 50;

/** The delimiter that cuts the first rows into most fields, in equal numbers. */
function guessDelimiter(text: string): string {
  const sample = text.slice(0, SAMPLE_CHARS);
  let best = { delimiter: ',', score: 0 };
  for (const delimiter of DELIMITERS) {
    const { data } = Papa.parse<string[]>(sample, {
      delimiter,
      skipEmptyLines: 'greedy',
      preview: SAMPLE_ROWS,
    });
    // The last row may be cut off.
    const rows = sample.length < text.length && data.length > 1 ? data.slice(0, -1) : data;
    const widths = rows.map((row) => row.length).sort((a, b) => a - b);
    const usual = widths[widths.length >> 1] ?? 1;
    const agreeing = widths.filter((width) => width === usual).length / Math.max(1, widths.length);
    // Decimal commas stand in the rows and not in their header.
    const isHeaders = rows[0]?.length === usual ? 1 : 0.3;
    const score = usual > 1 ? agreeing * agreeing * Math.min(usual, 20) * isHeaders : 0;
    if (score > best.score * 1.0001) best = { delimiter, score };
  }
  return best.delimiter;
}
