/**
 * Words as the public benchmarks count them: runs of letters, digits and underscores, in lower
 * case.
 */
export const splitWords = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];

export interface Score {
  precision: number;
  recall: number;
  f1: number;
}

/** Two texts as bags of words. */
export function wordScore(found: string, expected: string): Score {
  const [foundWords, expectedWords] = [splitWords(found), splitWords(expected)];
  if (expectedWords.length === 0 && foundWords.length === 0) return { precision: 1, recall: 1, f1: 1 };
  const left = new Map<string, number>();
  for (const word of expectedWords) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of foundWords) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    common += 1;
  }
  return score(common, foundWords.length, expectedWords.length);
}

export function score(right: number, found: number, expected: number): Score {
  const precision = found === 0 ? 0 : right / found;
  const recall = expected === 0 ? 0 : right / expected;
  return { precision, recall, f1: right === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

export const share = <T>(items: readonly T[], predicate: (item: T) => boolean): number =>
  items.length === 0 ? 0 : items.filter(predicate).length / items.length;

/** Normalized for comparison: without case, white space and punctuation. */
export const normalised = (text: string): string => splitWords(text).join(' ');
