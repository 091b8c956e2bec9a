import { containsTag, hasText, isElement, readText, select } from '../document/dom.ts';
import { joinedLines } from '../document/lines.ts';
import { nextNode } from '../document/traverse.ts';
import { layOutTable, type PlacedCell, type TableGrid } from './table-grid.ts';

/**
 * A GitHub-flavoured table; null for a layout table. A cell over several columns or rows has its
 * text in the first of them, and the others are empty, so that every value stays under its heading.
 *
 * @param convert returns the Markdown of a cell's content
 */
export function tableToMarkdown(table: Element, convert: (cell: Element) => string): string | null {
  const grid = layOutTable(table);
  if (!isDataTable(table, grid)) return null;
  const textOf = ({ element }: PlacedCell) =>
    oneLine(isNesting(element) ? nestedText(element) : convert(element));
  const width = Math.max(...grid.map((row) => endOf(row.at(-1))));

  const titles = [captionOf(table)].filter((caption) => caption !== null).map(convert);
  const titleRow = titleAcross(grid, width);
  if (titleRow) {
    titles.push(textOf(titleRow));
    grid.shift();
  }
  const heads = countHeaderRows(grid);
  const header = mergeHeaders(grid.slice(0, heads), textOf);
  const body = grid
    .slice(heads)
    .map((row) => spread(row, textOf))
    .filter((cells) => cells.some((text) => text !== ''));
  if (body.length === 0 && header.every((text) => text === '')) return '\n\n';

  // A hostile table of one long row and many short ones would be padded to gigabytes.
  const isPadded = width * grid.length <= MAX_PADDED_CELLS;
  const line = (cells: string[]) =>
    `| ${Array.from({ length: isPadded ? width : cells.length }, (_, i) => cells[i] ?? '').join(' | ')} |`;
  const rule = `|${' --- |'.repeat(width)}`;
  const above = titles.map((title) => `${oneLine(title)}\n\n`).join('');
  const head = `| ${Array.from({ length: width }, (_, i) => header[i] ?? '').join(' | ')} |`;
  return `\n\n${above}${[head, rule, ...body.map(line)].join('\n')}\n\n`;
}

const MAX_PADDED_CELLS = 1_000_000;

const endOf = (cell: PlacedCell | undefined): number => (cell ? cell.column + cell.columns : 0);

const captionOf = (table: Element): Element | null => {
  for (let child = table.firstElementChild; child; child = child.nextElementSibling) {
    if (child.tagName === 'CAPTION') return child;
  }
  return null;
};

/** Whether a table holds data; else it lays out the page. */
export function isDataTable(table: Element, grid: TableGrid): boolean {
  if (/^(presentation|none)$/.test(table.getAttribute('role') ?? '')) return false;
  if (grid.length === 0) return false;
  const hasHeader = grid.some((row) => row.some(({ element }) => element.tagName === 'TH'));
  if (containsTag(table, TABLES)) return hasHeader && hasOnlySmallTables(table);
  if (hasHeader) return true;
  // Without header cells, one column, one row or a heading in a cell means layout.
  return grid.length > 1 && grid.some((row) => row.length > 1) && !containsTag(table, HEADINGS);
}

const TABLES = new Set(['TABLE']);
const HEADINGS = new Set(['H1', 'H2', 'H3', 'H4', 'H5', 'H6']);

/** A table around larger ones lays them out. */
const hasOnlySmallTables = (table: Element): boolean =>
  !containsTag(table, HEADINGS) &&
  select(table, 'table').every(
    (inner) => readText(inner).length <= MAX_NESTED_CHARS && !containsTag(inner, TABLES),
  );

const MAX_NESTED_CHARS = 500;

/** A first row that is one header cell over all columns: the table's title. */
function titleAcross(grid: TableGrid, width: number): PlacedCell | null {
  const [first, second] = grid;
  const [cell, ...others] = first ?? [];
  if (!cell || !second || others.length > 0 || width < 2) return null;
  return cell.element.tagName === 'TH' && cell.columns >= width ? cell : null;
}

/** The rows of the `thead`, or the leading rows of header cells only. */
function countHeaderRows(grid: TableGrid): number {
  const inHead = grid.filter(
    ([cell]) => cell?.element.parentElement?.parentElement?.tagName === 'THEAD',
  ).length;
  if (inHead > 0) return Math.min(inHead, MAX_HEADER_ROWS);
  let count = 0;
  while (count < MAX_HEADER_ROWS && isHeaderRow(grid[count])) count += 1;
  // Header cells all the way down: the first row is the header, and so are those it spans into.
  if (count > 0 && count === Math.min(grid.length, MAX_HEADER_ROWS) && isHeaderRow(grid.at(-1)))
    return grid[0]?.some(({ columns }) => columns > 1) && grid.length > 2 ? Math.min(2, count) : 1;
  return count;
}

const MAX_HEADER_ROWS = 5;

/** Header cells only; the corner above row headings may be an empty data cell. */
const isHeaderRow = (row: readonly PlacedCell[] | undefined): boolean =>
  row?.some(({ element }) => element.tagName === 'TH') === true &&
  row.every(({ element }, at) => element.tagName === 'TH' || (at === 0 && !hasText(element)));

/**
 * Markdown has one header row: the texts of several above a column become lines of one cell, and
 * the heading of a group of columns stands above each of them.
 */
function mergeHeaders(rows: TableGrid, textOf: (cell: PlacedCell) => string): string[] {
  const [only, ...others] = rows;
  if (only && others.length === 0) return spread(only, textOf);
  const columns: string[][] = [];
  for (const row of rows) {
    for (const cell of row) {
      const text = textOf(cell);
      if (text === '') continue;
      for (let at = cell.column; at < endOf(cell); at += 1) {
        const texts = columns[at] ?? [];
        texts.push(text);
        columns[at] = texts;
      }
    }
  }
  return Array.from(columns, (texts) => (texts ?? []).join('<br>'));
}

function spread(row: readonly PlacedCell[], textOf: (cell: PlacedCell) => string): string[] {
  const cells: string[] = [];
  for (const cell of row) {
    while (cells.length < cell.column) cells.push('');
    cells.push(textOf(cell));
    while (cells.length < endOf(cell)) cells.push('');
  }
  return cells;
}

const isNesting = (cell: Element): boolean => containsTag(cell, TABLES);

/** Markdown has no table in a cell: each row of it becomes a line. */
function nestedText(cell: Element): string {
  let text = '';
  for (let node = cell.firstChild; node; node = nextNode(node, cell)) {
    if (!isElement(node)) text += (node.nodeValue ?? '').replace(/\s+/g, ' ').replace(/[\\`*_[\]<]/g, '\\$&');
    else if (/^(TR|CAPTION|P|DIV|BR)$/.test(node.tagName)) text += '\n';
    else if (/^T[DH]$/.test(node.tagName) && node.previousElementSibling) text += ', ';
  }
  return text;
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
    const to = from === 0 ? -1 : markdown.indexOf(`\n${FENCE}`, from - 1);
    if (to < 0) break;
    const lines = markdown.slice(from, Math.max(from, to)).split('\n');
    out += `${markdown.slice(at, open)}${lines.map(codeSpan).join('\n')}`;
    at = to + 1;
    while (markdown[at] === '`') at += 1;
  }
  return out + markdown.slice(at);
}

/** Markdown drops leading blanks in a cell, so they stand inside of the span. */
const codeSpan = (line: string): string => {
  const text = line.replaceAll('\0', '');
  if (text === '') return '';
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
};

const FENCE = '```';
