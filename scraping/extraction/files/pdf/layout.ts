import type { Line, Row } from './pieces.ts';
import { textOf } from './pieces.ts';

/** What a page without a structure tree consists of, judged by where its text stands. */
export type Block =
  | { kind: 'lines'; lines: Line[]; right: number }
  /** Rows of cells; a cell has the lines it is wrapped in. */
  | { kind: 'table'; rows: Line[][][] };

const MAX_DEPTH = 4;

/** Blocks in reading order: column after column, and tables row by row. */
export function blocksOf(rows: readonly Row[], depth = 0): Block[] {
  const blocks: Block[] = [];
  const right = rightOf(rows);
  let plain: Row[] = [];
  const flush = () => {
    if (plain.length > 0) blocks.push({ kind: 'lines', lines: plain.map(joinLines), right });
    plain = [];
  };
  for (let at = 0; at < rows.length; ) {
    const run = depth < MAX_DEPTH ? guttersFrom(rows, at) : null;
    if (run === null) {
      plain.push(rows[at] ?? []);
      at += 1;
      continue;
    }
    const split = rows.slice(at, run.end).map((row) => splitAt(row, run.gutters));
    if (isColumns(split)) {
      flush();
      const columns = Array.from({ length: run.gutters.length + 1 }, (_, column) =>
        split.map((cells) => cells[column] ?? []).filter((row) => row.length > 0),
      );
      for (const column of columns) blocks.push(...blocksOf(column, depth + 1));
    } else {
      // Text above and below a table may end left of its first gutter.
      const isWide = (cells: Line[][]) => cells.filter((cell) => cell.length > 0).length > 1;
      const first = split.findIndex(isWide);
      const last = split.findLastIndex(isWide);
      const tail = isContinuation(split, last + 1) ? last + 1 : last;
      plain.push(...rows.slice(at, at + first));
      flush();
      blocks.push({ kind: 'table', rows: joinWrapped(split.slice(first, tail + 1)) });
      plain.push(...rows.slice(at + tail + 1, run.end));
    }
    at = run.end;
  }
  flush();
  return blocks;
}

/**
 * Where lines end if they continue in the next one. Infinite if all are too short for running text:
 * an address, a menu.
 */
function rightOf(rows: readonly Row[]): number {
  const lines = rows.flat();
  const longest = lines.reduce((most, line) => Math.max(most, textOf(line).length), 0);
  const right = lines.reduce((most, line) => Math.max(most, line.right), 0);
  return longest < LEAST_RUNNING ? Number.POSITIVE_INFINITY : right;
}

const LEAST_RUNNING = 28;

function joinLines(row: Row): Line {
  const [first, ...others] = row;
  if (!first || others.length === 0) return first ?? { pieces: [], left: 0, right: 0, y: 0, size: 0 };
  return {
    pieces: row.flatMap(({ pieces }) => pieces),
    left: first.left,
    right: Math.max(...row.map(({ right }) => right)),
    y: first.y,
    size: Math.max(...row.map(({ size }) => size)),
  };
}

interface Gap {
  from: number;
  to: number;
}

/**
 * The longest run of rows from `start` that leaves at least one vertical strip free, with text on
 * both sides of it. Null if there is none, or if it has fewer than two rows with such text.
 */
function guttersFrom(rows: readonly Row[], start: number): { gutters: Gap[]; end: number } | null {
  if ((rows[start]?.length ?? 0) < 2) return null;
  let gutters: Gap[] = [{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }];
  let inner: Gap[] = [];
  let wide = 0;
  let best: { gutters: Gap[]; end: number } | null = null;
  let [left, right] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = start; at < rows.length && at - start < MAX_ROWS; at += 1) {
    const row = rows[at] ?? [];
    const previous = rows[at - 1]?.[0];
    const line = row[0];
    if (!line) break;
    // A table does not go on behind a large gap.
    if (at > start && previous && line.y - previous.y > 4 * Math.max(line.size, previous.size)) break;
    const before = inner.length;
    gutters = intersect(gutters, freeIn(row)).filter(({ from, to }) => to - from >= MIN_GUTTER * line.size);
    left = Math.min(left, line.left);
    right = Math.max(right, row.at(-1)?.right ?? right);
    inner = gutters.filter(({ from, to }) => from > left && to < right);
    // A line across a gutter stands above or below the table.
    if (inner.length === 0 || (row.length === 1 && inner.length < before)) break;
    if (row.length > 1) wide += 1;
    if (wide >= 2) best = { gutters: inner, end: at + 1 };
  }
  return best;
}

/** Rows of one run: a bound for its time. */
const MAX_ROWS = 400;
const MIN_GUTTER = 0.7;

function freeIn(row: Row): Gap[] {
  const gaps: Gap[] = [];
  let from = Number.NEGATIVE_INFINITY;
  for (const { left, right } of row) {
    gaps.push({ from, to: left });
    from = right;
  }
  return [...gaps, { from, to: Number.POSITIVE_INFINITY }];
}

/** Both are sorted and do not overlap themselves. */
function intersect(a: readonly Gap[], b: readonly Gap[]): Gap[] {
  const common: Gap[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [first, second] = [a[i], b[j]];
    if (!first || !second) return common;
    const [from, to] = [Math.max(first.from, second.from), Math.min(first.to, second.to)];
    if (from < to) common.push({ from, to });
    if (first.to < second.to) i += 1;
    else j += 1;
  }
}

function splitAt(row: Row, gutters: readonly Gap[]): Line[][] {
  const cells: Line[][] = Array.from({ length: gutters.length + 1 }, () => []);
  let column = 0;
  for (const line of row) {
    while (column < gutters.length && line.left >= (gutters[column]?.to ?? 0) - 0.01) column += 1;
    cells[column]?.push(line);
  }
  return cells;
}

/** Columns of running text, and no table: few, and their lines are long and fill them. */
function isColumns(rows: readonly Line[][][]): boolean {
  const columns = rows[0]?.length ?? 0;
  if (columns > 3 || rows.length < 4) return false;
  return Array.from({ length: columns }, (_, column) => column).every((column) => {
    const lines = rows.flatMap((cells) => cells[column] ?? []);
    const lengths = lines.map((line) => textOf(line).length).sort((a, b) => a - b);
    const left = Math.min(...lines.map((line) => line.left));
    const right = Math.max(...lines.map((line) => line.right));
    const isFull = (line: Line) => line.right - line.left > 0.75 * (right - left);
    const full = lines.filter(isFull).length / lines.length;
    const usual = lengths[lengths.length >> 1] ?? 0;
    // Cells of a narrow column are rarely all as wide as it.
    return (usual >= 24 && full >= 0.5) || (usual >= 14 && rows.length >= 6 && full >= 0.7);
  });
}

/** A row that only goes on with cells of the row before it. */
function isContinuation(rows: readonly Line[][][], at: number): boolean {
  const [before, row] = [rows[at - 1], rows[at]];
  if (!before || !row) return false;
  const filled = row.map((cell) => cell.length > 0);
  const [above, own] = [before.flat(), row.flat()[0]];
  if (!own || (filled[0] && filled.filter(Boolean).length === 1) || filled.every(Boolean)) return false;
  const bottom = Math.max(...above.map(({ y }) => y));
  const isBelowText = filled.every((isFilled, column) => !isFilled || (before[column]?.length ?? 0) > 0);
  return !filled[0] && isBelowText && own.y - bottom < 1.4 * own.size;
}

function joinWrapped(rows: readonly Line[][][]): Line[][][] {
  const joined: Line[][][] = [];
  rows.forEach((row, at) => {
    const previous = joined.at(-1);
    if (!previous || !isContinuation(rows, at)) joined.push(row.map((cell) => [...cell]));
    else for (const [column, cell] of row.entries()) previous[column]?.push(...cell);
  });
  return joined;
}
