import { expect, test } from '@jest/globals';
import { csvCell, jsonOf } from './tables.ts';

test.each([
  ['plain', 'plain'],
  ['a, b', '"a, b"'],
  ['say "x"', '"say ""x"""'],
  ['two\nlines', '"two\nlines"'],
  ['=HYPERLINK("http://example.com")', '"\'=HYPERLINK(""http://example.com"")"'],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['+43 1 234', "'+43 1 234"],
])('the cell %j is written as %j', (text, cell) => {
  expect(csvCell(text)).toBe(cell);
});

test.each([0, 1, 3])('JSON of %i rows parses to the same rows', async (count) => {
  const rows = Array.from({ length: count }, (_, number) => ({ number, text: '"</script>"' }));
  let text = '';
  const given = async function* () {
    yield* rows;
  };
  for await (const part of jsonOf('rows', given())) text += part;
  expect(JSON.parse(text)).toEqual({ rows });
});
