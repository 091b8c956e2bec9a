import { computeTextStatistics, countWords } from './text-statistics.ts';

const TEXTS = [
  ...[
    '',
    ' ',
    'one',
    'One two, three.',
    'snake_case and 42 things!',
    'The end of it; is it? IT IS.',
    'a-b c/d e.f',
  ],
  ...[
    'Über die Brücke, für 3 €',
    'naïve café — ÉTÉ',
    'Ünïcode_Wörd 1²',
    '日本語のテキスト、です。',
    '👍 Very GOOD 👍',
    'İstanbul İ',
  ],
  ...[
    'The thesis of theirs',
    'INTO the woods',
    "l'été et le soir",
    'x'.repeat(50),
    'a',
    'I',
    'le la les el der die das',
  ],
];
const SMALL =
  /\b(the|of|and|to|a|in|is|for|that|with|on|it|as|are|this|be|or|by|from|at|was|an|can|not|have|de|la|el|und|der|die|das|et|le|les|en|i)\b/gi;

test.each(TEXTS)('%j gives the counts of the regular expressions', (text) => {
  const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
  expect(countWords(text)).toBe(count(/[\p{L}\p{N}_]+/gu));
  expect(computeTextStatistics(text)).toEqual({
    punctuation: count(/[.,;!?]/g),
    digits: count(/\d/g),
    capitals: count(/\p{Lu}/gu),
    smallWords: count(SMALL),
  });
});
