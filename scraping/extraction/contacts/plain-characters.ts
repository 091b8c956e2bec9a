/**
 * Text as a reader sees it: without invisible characters, and with digits, letters and symbols of
 * wide scripts in ASCII. Editors and scripts put soft hyphens, zero-width spaces and directional
 * marks into addresses, and East Asian pages write numbers as `０３－１２３４－５６７８`.
 */
export function plainCharacters(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text;
  return text
    .replace(INVISIBLE, '')
    .replace(WIDE, (wide) => wide.normalize('NFKC'))
    .replace(FOREIGN_DIGIT, (digit) => String(digitValue(digit.codePointAt(0) ?? 0)))
    .replace(/(?<=\d ?)[−‒﹣ーｰ－﹘](?= ?\d)/g, '-');
}

/** Joiners shape words of Arabic and Indic scripts, so they go only beside ASCII. */
const INVISIBLE =
  /(?!\u200c|\u200d)\p{Default_Ignorable_Code_Point}|(?:\u200c|\u200d)(?=[!-~]|$)|(?<=[!-~]|^)(?:\u200c|\u200d)/gu;
const WIDE = /[\uff01-\uff5e\ufe50-\ufe6b\u{1d7ce}-\u{1d7ff}]+/gu;
const FOREIGN_DIGIT = /(?![0-9])\p{Nd}/gu;

/** Digits of a script are ten consecutive characters, zero first. */
function digitValue(code: number): number {
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value += 1;
  return value;
}
