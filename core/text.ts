/** Postgres cannot store a NUL in text. */
export const withoutNul = (text: string): string => text.replaceAll('\0', '');

/** For comparison: lower case, without accents. */
export const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();

/** Only the letters and digits of a folded text, one space between words. */
export const foldWords = (text: string): string =>
  fold(text)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** As `foldWords`, for names that are also written with `ss`. */
export const foldNames = (text: string): string => foldWords(text.replace(/[ßẞ]/g, 'ss'));

/** Of a URL; as it is if it does not decode to UTF-8. */
export function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
