import { cell } from './csv.ts';

test.each([
  ['plain', 'plain'],
  ['Müller, Söhne', '"Müller, Söhne"'],
  ['say "hi"', '"say ""hi"""'],
  ['a; b', '"a; b"'],
  ['two\nlines', '"two\nlines"'],
  ['=HYPERLINK("http://evil")', '"\'=HYPERLINK(""http://evil"")"'],
  ['+4930123456', "'+4930123456"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['  =1+1', "'  =1+1"],
  ['\t=1', "'\t=1"],
  ['\ttext', "'\ttext"],
  ['+43 1 234', "'+43 1 234"],
  ['＝1', "'＝1"],
  ['a=b', 'a=b'],
  ['', ''],
])('the cell %j is written %j', (text, written) => {
  expect(cell(text)).toBe(written);
});
