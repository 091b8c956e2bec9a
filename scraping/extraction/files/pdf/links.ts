import type { Piece } from './pieces.ts';

/** An annotation of a page, as pdf.js gives it. */
export interface LinkAnnotation {
  subtype?: string;
  url?: string;
  /** Two opposite corners, in the page's own coordinates. */
  rect?: number[];
}

interface LinkArea {
  href: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Each piece of text is compared with each. */
const MAX_LINKS = 300;

export function linkAreas(
  annotations: readonly LinkAnnotation[],
  viewport: { convertToViewportPoint(x: number, y: number): number[] },
): LinkArea[] {
  const areas: LinkArea[] = [];
  for (const { subtype, url, rect = [] } of annotations) {
    if (subtype !== 'Link' || !url || rect.length < 4 || areas.length >= MAX_LINKS) continue;
    const [x1 = 0, y1 = 0] = viewport.convertToViewportPoint(rect[0] ?? 0, rect[1] ?? 0);
    const [x2 = 0, y2 = 0] = viewport.convertToViewportPoint(rect[2] ?? 0, rect[3] ?? 0);
    const [left, right] = [Math.min(x1, x2), Math.max(x1, x2)];
    areas.push({ href: url, left, right, top: Math.min(y1, y2), bottom: Math.max(y1, y2) });
  }
  return areas;
}

/** The piece, cut where a link begins or ends: a line is often one piece. */
export function linkedParts(piece: Piece, areas: readonly LinkArea[]): Piece[] {
  const middle = piece.y - piece.size * 0.3;
  const over = areas
    .filter(({ top, bottom }) => middle >= top && middle <= bottom)
    .filter(
      ({ left, right }) =>
        Math.min(right, piece.x + piece.width) - Math.max(left, piece.x) > piece.size * 0.2,
    )
    .sort((a, b) => a.left - b.left);
  if (over.length === 0) return [piece];
  const { text, x, width } = piece;
  const parts: Piece[] = [];
  let from = 0;
  const cut = (to: number, href: string | null) => {
    if (to <= from) return;
    const place = { x: x + (width * from) / text.length, width: (width * (to - from)) / text.length };
    parts.push({ ...piece, ...place, text: text.slice(from, to), href });
    from = to;
  };
  for (const { left, right, href } of over) {
    const begin = wordEdge(text, ((left - x) / width) * text.length);
    const end = wordEdge(text, ((right - x) / width) * text.length);
    cut(begin, null);
    cut(end, href);
  }
  cut(text.length, null);
  return parts.filter((part) => part.text.trim() !== '');
}

/** The edge of a word closest to a place that is computed from an average width. */
function wordEdge(text: string, at: number): number {
  const near = Math.max(0, Math.min(text.length, Math.round(at)));
  for (let distance = 0; distance <= MAX_SHIFT; distance += 1) {
    for (const place of [near + distance, near - distance]) {
      if (place <= 0) return 0;
      if (place >= text.length) return text.length;
      if (/\s/.test(text[place] ?? '') || /\s/.test(text[place - 1] ?? '')) return place;
    }
  }
  return near;
}

const MAX_SHIFT = 6;
