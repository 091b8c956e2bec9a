/** Text of a PDF page with its place; `y` grows downwards, `y` is the baseline. */
export interface Piece {
  text: string;
  x: number;
  y: number;
  width: number;
  /** Font size. */
  size: number;
  isRightToLeft: boolean;
  /** Target of the link annotation that covers it. */
  href: string | null;
  /** Id of its marked content, which the structure tree refers to. */
  mark: string | null;
}

/** Pieces on one baseline without a wide gap between them, in reading order. */
export interface Line {
  pieces: Piece[];
  left: number;
  right: number;
  y: number;
  size: number;
}

/** A baseline's lines, from left to right: more than one in a table or beside a gutter. */
export type Row = Line[];

/** Gaps in units of the font size: between words, and between table cells or columns. */
const WORD_GAP = 0.12;
const CELL_GAP = 0.85;

/** Rows from top to bottom. */
export function rowsOf(pieces: readonly Piece[]): Row[] {
  const sorted = [...pieces].sort((a, b) => a.y - b.y || a.x - b.x);
  const rows: Piece[][] = [];
  let baseline = Number.NaN;
  for (const piece of sorted) {
    const current = rows.at(-1);
    const near = Math.max(piece.size, current?.[0]?.size ?? 0) * 0.45;
    if (current && Math.abs(piece.y - baseline) <= near) current.push(piece);
    else {
      rows.push([piece]);
      baseline = piece.y;
    }
  }
  return rows.map(linesIn);
}

function linesIn(pieces: Piece[]): Row {
  pieces.sort((a, b) => a.x - b.x);
  const lines: Line[] = [];
  for (const piece of pieces) {
    const line = lines.at(-1);
    const right = piece.x + piece.width;
    if (line && piece.x - line.right <= CELL_GAP * Math.max(line.size, piece.size)) {
      line.pieces.push(piece);
      line.right = Math.max(line.right, right);
      line.size = Math.max(line.size, piece.size);
    } else lines.push({ pieces: [piece], left: piece.x, right, y: piece.y, size: piece.size });
  }
  for (const line of lines) if (isRightToLeft(line)) line.pieces.reverse();
  return lines;
}

const isRightToLeft = ({ pieces }: Line): boolean =>
  pieces.filter((piece) => piece.isRightToLeft).length * 2 > pieces.length;

/** Whether white space stands between two pieces that follow one another. */
export function isApart(before: Piece, after: Piece): boolean {
  const gap = after.x >= before.x ? after.x - before.x - before.width : before.x - after.x - after.width;
  return gap > WORD_GAP * Math.max(before.size, after.size);
}

export const textOf = ({ pieces }: Line): string =>
  pieces
    .map((piece, at) => {
      const before = pieces[at - 1];
      return before && isApart(before, piece) ? ` ${piece.text}` : piece.text;
    })
    .join('')
    .replace(/\s+/g, ' ')
    .trim();

/** The text of a page. */
export interface PageText {
  pieces: Piece[];
  height: number;
  /** Null if it is not tagged. */
  tree: StructureNode | null;
}

/** A node of a tagged PDF's structure tree, as pdf.js gives it. */
export interface StructureNode {
  role?: string;
  alt?: string;
  type?: string;
  id?: string;
  children?: StructureNode[];
}
