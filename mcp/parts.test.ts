import { describe, expect, test } from '@jest/globals';
import { type Part, partOf } from './parts.ts';

/** All parts of a text, as an agent reads them. */
function allParts(text: string, limit: number): Part[] {
  const parts = [partOf(text, 0, limit)];
  for (let { next } = parts[0] as Part; next !== null; ) {
    const part = partOf(text, next, limit);
    parts.push(part);
    ({ next } = part);
  }
  return parts;
}

describe('parts of a text', () => {
  test('end at the borders of blocks', () => {
    const text = Array.from({ length: 40 }, (_, n) => `Paragraph ${n} has these words.`).join('\n\n');
    const parts = allParts(text, 100);
    expect(parts.length).toBeGreaterThan(5);
    for (const { text: part, next } of parts) if (next !== null) expect(part).toMatch(/words\.\n\n$/);
  });

  test.each([
    ['one long line', 'x'.repeat(1003)],
    ['words', 'word '.repeat(300)],
    ['characters of two units', '😀'.repeat(501)],
    ['lines', 'a line of text\n'.repeat(80)],
    ['nothing', ''],
  ])('together are the text, each within the limit: %s', (_, text) => {
    for (const limit of [2, 7, 100]) {
      const parts = allParts(text, limit);
      expect(parts.map((part) => part.text).join('')).toBe(text);
      expect(Math.max(...parts.map((part) => part.text.length))).toBeLessThanOrEqual(limit);
      expect(parts.every((part) => part.text.isWellFormed())).toBe(true);
    }
  });

  test('an offset behind the end is the empty rest', () => {
    expect(partOf('abc', 99, 10)).toEqual({ offset: 3, text: '', total: 3, next: null });
  });

  test('an offset inside a character begins before it', () => {
    expect(partOf('a😀b', 2, 10)).toMatchObject({ offset: 1, text: '😀b' });
  });
});
