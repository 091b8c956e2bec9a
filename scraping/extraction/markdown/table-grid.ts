import { closestTag, select } from '../document/dom.ts';

/** A cell at its place in the grid: spans of earlier cells move it to the right. */
export interface PlacedCell {
  element: Element;
  column: number;
  columns: number;
}

/** Per row the cells that begin in it, left to right. */
export type TableGrid = PlacedCell[][];

const MAX_SPAN = 100;
/** Cells further right span nothing: bounds the work per row of a hostile table. */
const MAX_SPANNED_COLUMN = 500;

/**
 * The rows of a table, without those of nested tables: head first, foot last. A `rowspan` ends with
 * its row group, as in browsers.
 */
export function layOutTable(table: Element): TableGrid {
  const grid: TableGrid = [];
  let group: Element | null = null;
  /** Per column: the number of the first row that no cell above covers. */
  let freeFrom: number[] = [];
  for (const [number, row] of rowsInOrder(table).entries()) {
    if (row.parentElement !== group) freeFrom = [];
    group = row.parentElement;
    const placed = placeCells(row, number, freeFrom);
    if (placed.length > 0) grid.push(placed);
  }
  return grid;
}

function placeCells(row: Element, number: number, freeFrom: number[]): PlacedCell[] {
  const placed: PlacedCell[] = [];
  let column = 0;
  for (let cell = row.firstElementChild; cell; cell = cell.nextElementSibling) {
    if (cell.tagName !== 'TD' && cell.tagName !== 'TH') continue;
    while ((freeFrom[column] ?? 0) > number) column += 1;
    const columns = column > MAX_SPANNED_COLUMN ? 1 : readSpan(cell, 'colspan');
    const rows = column > MAX_SPANNED_COLUMN ? 1 : readSpan(cell, 'rowspan');
    placed.push({ element: cell, column, columns });
    if (rows > 1) for (let at = column; at < column + columns; at += 1) freeFrom[at] = number + rows;
    column += columns;
  }
  return placed;
}

/** `rowspan="0"` reaches to the end of the row group. */
function readSpan(cell: Element, name: 'colspan' | 'rowspan'): number {
  const value = cell.getAttribute(name);
  if (value === null) return 1;
  const span = Number.parseInt(value, 10);
  if (span === 0 && name === 'rowspan') return Number.POSITIVE_INFINITY;
  const most = name === 'rowspan' ? MAX_ROWSPAN : MAX_SPAN;
  return Math.min(Math.max(span || 1, 1), most);
}

/** The HTML standard's limit. */
const MAX_ROWSPAN = 65_534;

function rowsInOrder(table: Element): Element[] {
  const rows = select(table, 'tr').filter((row) => closestTag(row.parentElement, 'TABLE') === table);
  const inGroup = (name: string) => rows.filter((row) => row.parentElement?.tagName === name);
  const [head, foot] = [inGroup('THEAD'), inGroup('TFOOT')];
  if (head.length === 0 && foot.length === 0) return rows;
  return [
    ...head,
    ...rows.filter((row) => !/^T(HEAD|FOOT)$/.test(row.parentElement?.tagName ?? '')),
    ...foot,
  ];
}
