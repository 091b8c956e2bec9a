import { closestTag, containsTag, select, selectFirst } from '../document/dom.ts';
import { joinedLines } from '../document/lines.ts';

/**
 * A GitHub-flavoured table; null for a layout table.
 *
 * @param convert returns the Markdown of a cell's content
 */
export function tableToMarkdown(table: Element, convert: (cell: Element) => string): string | null {
  const rows = ownRows(table);
  if (!isDataTable(table, rows)) return null;

  const grid = rows.map((row) => row.flatMap((cell) => spreadColumns(cell, oneLine(convert(cell)))));
  const width = Math.max(...grid.map((row) => row.length));
  const firstIsHeader =
    rows[0]?.every((cell) => cell.tagName === 'TH') || Boolean(table.querySelector('thead tr'));
  const header = firstIsHeader ? (grid[0] ?? []) : [];
  const body = firstIsHeader ? grid.slice(1) : grid;

  const line = (cells: string[]) =>
    `| ${Array.from({ length: width }, (_, i) => cells[i] ?? '').join(' | ')} |`;
  const rule = `|${' --- |'.repeat(width)}`;
  const caption = selectFirst(table, 'caption');
  const title = caption ? `${oneLine(convert(caption))}\n\n` : '';
  return `\n\n${title}${[line(header), rule, ...body.map(line)].join('\n')}\n\n`;
}

/** The rows of this table, without those of nested tables. */
function ownRows(table: Element): Element[][] {
  return select(table, 'tr')
    .filter((row) => closestTag(row, 'TABLE') === table)
    .map((row) => Array.from(row.children).filter(({ tagName }) => tagName === 'TD' || tagName === 'TH'))
    .filter((cells) => cells.length > 0);
}

const TABLES = new Set(['TABLE']);
const HEADERS = new Set(['TH']);
const HEADINGS = new Set(['H1', 'H2', 'H3', 'H4', 'H5', 'H6']);

function isDataTable(table: Element, rows: Element[][]): boolean {
  if (/^(presentation|none)$/.test(table.getAttribute('role') ?? '')) return false;
  if (rows.length === 0 || containsTag(table, TABLES)) return false;
  if (containsTag(table, HEADERS)) return true;
  // Without header cells, one column, one row or a heading in a cell means layout.
  return rows.length > 1 && rows.some((row) => row.length > 1) && !containsTag(table, HEADINGS);
}

const MAX_SPAN = 100;

/**
 * A cell over several columns is followed by empty ones, so that later cells stay under their
 * heading.
 */
function spreadColumns(cell: Element, text: string): string[] {
  const span = Math.min(Math.max(Number.parseInt(cell.getAttribute('colspan') ?? '1', 10) || 1, 1), MAX_SPAN);
  return [text, ...Array.from({ length: span - 1 }, () => '')];
}

/** A cell is one line: paragraphs and lines of code become `<br>`. */
function oneLine(markdown: string): string {
  return joinedLines(withCodeByLine(markdown).replace(/\|/g, '\\|'), '<br>');
}

/** A fenced code block becomes one code span per line. */
function withCodeByLine(markdown: string): string {
  let out = '';
  let at = 0;
  for (let open = markdown.indexOf(FENCE); open >= 0; open = markdown.indexOf(FENCE, at)) {
    const from = markdown.indexOf('\n', open) + 1;
    const to = from === 0 ? -1 : markdown.indexOf(`\n${FENCE}`, from);
    if (to < 0) break;
    const lines = markdown.slice(from, to).split('\n');
    out += `${markdown.slice(at, open)}${lines.map((text) => `\`${text}\``).join('\n')}`;
    at = to + 1;
    while (markdown[at] === '`') at += 1;
  }
  return out + markdown.slice(at);
}

const FENCE = '```';
