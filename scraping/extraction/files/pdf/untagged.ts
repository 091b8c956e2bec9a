import { rowsAsTable } from '../table.ts';
import { lineAsHtml, linesAsHtml } from './inline.ts';
import { type Block, blocksOf } from './layout.ts';
import { type Line, type Piece, rowsOf, textOf } from './pieces.ts';

/** Font sizes of a document, by which headings are recognized. */
export interface Sizes {
  /** Of most of the text. */
  body: number;
  /** Of headings, largest first. */
  headings: number[];
}

/** A heading's font is larger than the text's by this factor. */
const HEADING = 1.15;

export function sizesOf(pages: readonly (readonly Piece[])[]): Sizes {
  const characters = new Map<number, number>();
  for (const { size, text } of pages.flat()) {
    const rounded = Math.round(size * 2) / 2;
    characters.set(rounded, (characters.get(rounded) ?? 0) + text.length);
  }
  const body = [...characters].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 0;
  const headings = [...characters.keys()].filter((size) => size >= body * HEADING).sort((a, b) => b - a);
  return { body, headings };
}

/** A page as HTML, by where its text stands and how large it is. */
export const pageAsHtml = (pieces: readonly Piece[], sizes: Sizes): string =>
  blocksOf(rowsOf(pieces))
    .map((block) => (block.kind === 'table' ? tableAsHtml(block) : linesBlockAsHtml(block, sizes)))
    .join('\n');

const tableAsHtml = ({ rows }: Extract<Block, { kind: 'table' }>): string =>
  rowsAsTable(rows.map((row) => row.map((lines) => lines.map(lineAsHtml).join(' '))));

const BULLET = /^[•▪▫●○◦‣⁃∙·■□➢➤✓✔–—*-]\s+|^[•▪●○◦‣]\s*/u;
const NUMBER = /^(?:\(?(\d{1,3})[.)]|\(?[a-z][.)])\s+(?=\S)/;

function linesBlockAsHtml({ lines, right }: Extract<Block, { kind: 'lines' }>, sizes: Sizes): string {
  const html: string[] = [];
  let list: 'ul' | 'ol' | null = null;
  const leaveList = () => {
    if (list) html.push(`</${list}>`);
    list = null;
  };
  const leading = lineSpacing(lines);
  for (let at = 0; at < lines.length; ) {
    const first = lines[at];
    if (!first) break;
    const marker = markerOf(lines, at);
    let end = at + 1;
    while (end < lines.length && continues(lines, end, leading, marker !== null)) end += 1;
    const group = lines.slice(at, end);
    const level = headingLevel(group, sizes);
    if (level !== null) {
      leaveList();
      html.push(`<h${level}>${group.map(lineAsHtml).join(' ')}</h${level}>`);
    } else if (marker) {
      const kind = marker.number === null ? 'ul' : 'ol';
      if (list !== kind) {
        leaveList();
        html.push(kind === 'ol' && marker.number !== 1 ? `<ol start="${marker.number}">` : `<${kind}>`);
      }
      list = kind;
      html.push(`<li>${linesAsHtml(withoutMarker(group), right)}</li>`);
    } else {
      leaveList();
      html.push(`<p>${linesAsHtml(group, right)}</p>`);
    }
    at = end;
  }
  leaveList();
  return html.join('\n');
}

/** The usual distance of baselines: the median. */
function lineSpacing(lines: readonly Line[]): number {
  const distances = lines
    .slice(1)
    .map((line, at) => (line.y - (lines[at]?.y ?? 0)) / line.size)
    .filter((distance) => distance > 0)
    .sort((a, b) => a - b);
  return distances[distances.length >> 1] ?? 1.2;
}

/** Whether the line belongs to the same paragraph, item or heading as the one before it. */
function continues(lines: readonly Line[], at: number, leading: number, isItem: boolean): boolean {
  const [before, line] = [lines[at - 1], lines[at]];
  if (!before || !line) return false;
  if (Math.abs(line.size - before.size) > 0.12 * before.size || markerOf(lines, at)) return false;
  const distance = (line.y - before.y) / line.size;
  // A page break in a column lays the next line above.
  if (distance < 0) return false;
  if (distance > Math.max(1.25 * Math.min(leading, 1.6), 1.5)) return false;
  // An indented first line begins a paragraph; the lines of an item are all indented.
  const indent = line.left - before.left;
  return isItem || indent < line.size || indent > 8 * line.size;
}

/** A list item's marker: a bullet, or a number that its neighbours continue. */
function markerOf(lines: readonly Line[], at: number): { number: number | null } | null {
  const text = textOf(lines[at] ?? EMPTY);
  if (BULLET.test(text)) return { number: null };
  const numbered = NUMBER.exec(text);
  if (!numbered) return null;
  const number = numbered[1] === undefined ? text.charCodeAt(text.search(/[a-z]/)) - 96 : Number(numbered[1]);
  const neighbours = lines.slice(Math.max(0, at - NEIGHBOURS), at + NEIGHBOURS);
  const isSequence = neighbours.some((line) => {
    const other = NUMBER.exec(textOf(line));
    return (
      other !== null && other[0] !== numbered[0] && Math.abs(Number(other[1] ?? number + 1) - number) === 1
    );
  });
  return isSequence ? { number } : null;
}

const EMPTY: Line = { pieces: [], left: 0, right: 0, y: 0, size: 0 };
const NEIGHBOURS = 12;

function withoutMarker(lines: readonly Line[]): Line[] {
  const [first, ...others] = lines;
  if (!first) return [];
  const text = textOf(first);
  let rest = (BULLET.exec(text) ?? NUMBER.exec(text))?.[0].replace(/\s/g, '').length ?? 0;
  const pieces = first.pieces.map((piece) => {
    if (rest === 0) return piece;
    const taken = new RegExp(`^\\s*(?:\\S\\s*){0,${rest}}`).exec(piece.text)?.[0] ?? '';
    rest -= Math.min(rest, taken.replace(/\s/g, '').length);
    return { ...piece, text: piece.text.slice(taken.length) };
  });
  return [{ ...first, pieces: pieces.filter(({ text }) => text !== '') }, ...others];
}

const MAX_HEADING = 200;
const MAX_LEVEL = 4;

function headingLevel(lines: readonly Line[], { body, headings }: Sizes): number | null {
  const size = Math.round((lines[0]?.size ?? 0) * 2) / 2;
  if (size < body * HEADING || lines.length > 4) return null;
  const text = lines.map(textOf).join(' ');
  if (text.length > MAX_HEADING || !/\p{L}/u.test(text)) return null;
  const level = headings.indexOf(size) + 1;
  return Math.min(MAX_LEVEL, Math.max(1, level));
}
