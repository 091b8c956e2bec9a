/** A part of a text, in UTF-16 code units, as `offset` and `limit` of the tools count. */
export interface Part {
  offset: number;
  text: string;
  total: number;
  /** Where the next part begins; null at the end. */
  next: number | null;
}

/**
 * The part of a text from an offset on, of at most `limit` characters. It ends at the border of a
 * block if there is one in its second half, else after a line or word, and never inside a character.
 */
export function partOf(text: string, offset: number, limit: number): Part {
  const total = text.length;
  const begin = outsideCharacter(text, Math.min(offset, total));
  if (total - begin <= limit) return { offset: begin, text: text.slice(begin), total, next: null };
  const end = borderIn(text, begin, begin + limit);
  return { offset: begin, text: text.slice(begin, end), total, next: end };
}

const BORDERS = ['\n\n', '\n', ' '];

/** The last border of the strongest kind in the second half; its characters belong to the earlier part. */
function borderIn(text: string, begin: number, to: number): number {
  const half = begin + (to - begin) / 2;
  for (const border of BORDERS) {
    const at = text.lastIndexOf(border, to - border.length);
    if (at >= half) return at + border.length;
  }
  const end = outsideCharacter(text, to);
  // Reading must advance, whatever the limit.
  return end > begin ? end : end + 2;
}

/** An index between the halves of a surrogate pair is moved before it. */
function outsideCharacter(text: string, index: number): number {
  const inPair = /[\ud800-\udbff]/.test(text.charAt(index - 1)) && /[\udc00-\udfff]/.test(text.charAt(index));
  return inPair ? index - 1 : index;
}
