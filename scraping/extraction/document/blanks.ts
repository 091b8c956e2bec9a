/**
 * Blanks as a reader sees them: non-breaking and other odd ones become spaces; characters without
 * width (soft hyphens, zero-width spaces, byte-order marks) go. Joiners stay: emoji, Persian and
 * Indian scripts need them.
 */
export const cleanBlanks = (text: string): string =>
  ODD.test(text) ? text.replace(INVISIBLE, '').replace(ODD_SPACES, ' ') : text;

/** The same, on one line. */
export const cleanLine = (text: string | null | undefined): string =>
  cleanBlanks(text ?? '')
    .replace(/\s+/g, ' ')
    .trim();

const ODD = /[\u00a0\u00ad\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff\v\f]/;
const INVISIBLE = /[\u00ad\u180e\u200b\u2060\ufeff]/g;
const ODD_SPACES = /[\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\v\f]/g;
