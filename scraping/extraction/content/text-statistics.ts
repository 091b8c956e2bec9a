/**
 * Text statistics in one pass over the characters. Regular expressions give the same counts and
 * serve text that is not ASCII, but each of their matches allocates a string, and a page has ten
 * thousand words.
 */

/** Number of runs of letters, digits and underscores. */
export function countWords(text: string): number {
  let words = 0;
  let isInside = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > ASCII) return text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0;
    const isPart = isWordCharacter(code);
    if (isPart && !isInside) words += 1;
    isInside = isPart;
  }
  return words;
}

export interface TextStatistics {
  /** Count of `.,;!?`. */
  punctuation: number;
  digits: number;
  capitals: number;
  /** Stop words of several European languages. */
  smallWords: number;
}

export function computeTextStatistics(text: string): TextStatistics {
  const statistics: TextStatistics = { punctuation: 0, digits: 0, capitals: 0, smallWords: 0 };
  let isAscii = true;
  let wordFrom = -1;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at < text.length ? text.charCodeAt(at) : SPACE;
    if (isWordCharacter(code)) {
      if (wordFrom < 0) wordFrom = at;
      if (code <= NINE) statistics.digits += 1;
      else if (code <= UPPER_Z) statistics.capitals += 1;
      continue;
    }
    if (
      wordFrom >= 0 &&
      at - wordFrom <= LONGEST_SMALL_WORD &&
      SMALL_WORDS.has(text.slice(wordFrom, at).toLowerCase())
    ) {
      statistics.smallWords += 1;
    }
    wordFrom = -1;
    if (code > ASCII) isAscii = false;
    else if (PUNCTUATION.has(code)) statistics.punctuation += 1;
  }
  if (!isAscii) statistics.capitals = text.match(/\p{Lu}/gu)?.length ?? 0;
  return statistics;
}

const ASCII = 127;
const SPACE = 32;
const [ZERO, NINE] = [48, 57];
const [UPPER_A, UPPER_Z] = [65, 90];
const UNDERSCORE = 95;
const [LOWER_A, LOWER_Z] = [97, 122];

const isWordCharacter = (code: number): boolean =>
  (code >= LOWER_A && code <= LOWER_Z) ||
  (code >= UPPER_A && code <= UPPER_Z) ||
  (code >= ZERO && code <= NINE) ||
  code === UNDERSCORE;

const PUNCTUATION = new Set([...'.,;!?'].map((character) => character.charCodeAt(0)));

const SMALL_WORDS = new Set(
  'the of and to a in is for that with on it as are this be or by from at was an can not have de la el und der die das et le les en i'.split(
    ' ',
  ),
);
const LONGEST_SMALL_WORD = Math.max(...[...SMALL_WORDS].map((word) => word.length));
