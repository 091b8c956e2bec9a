import { type PageText, type Piece, rowsOf, textOf } from './pieces.ts';

const MARGIN = 0.12;
const LEAST_PAGES = 3;

/**
 * Leaves out headers, footers and page numbers: lines in a page's margin that most pages repeat,
 * but for their numbers. The first page keeps its own.
 */
export function withoutRunningLines(pages: readonly PageText[]): PageText[] {
  if (pages.length < LEAST_PAGES) return [...pages];
  const counts = new Map<string, number>();
  const margins = pages.map(marginLines);
  for (const lines of margins)
    for (const key of new Set(lines.values())) counts.set(key, (counts.get(key) ?? 0) + 1);
  return pages.map((page, at) => {
    const lines = margins[at];
    const isRunning = (piece: Piece) => {
      const key = lines?.get(piece);
      if (key === undefined || (counts.get(key) ?? 0) < Math.max(LEAST_PAGES, pages.length * 0.4))
        return false;
      return at > 0 || /^[^\p{L}]*@/u.test(key);
    };
    return { ...page, pieces: page.pieces.filter((piece) => !isRunning(piece)) };
  });
}

/** The line of each piece in the margins, with its place and without numbers. */
function marginLines({ pieces, height }: PageText): Map<Piece, string> {
  const lines = new Map<Piece, string>();
  const inMargin = pieces.filter(
    ({ y }) => y < height * MARGIN || (y > height * (1 - MARGIN) && y <= height),
  );
  for (const row of rowsOf(inMargin)) {
    for (const line of row) {
      const key = `${textOf(line).replace(/\d+/g, '#')}@${line.y < height / 2 ? 'top' : 'bottom'}`;
      for (const piece of line.pieces) lines.set(piece, key);
    }
  }
  return lines;
}
