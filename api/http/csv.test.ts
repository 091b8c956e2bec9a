import { cell, csv } from './csv.ts';

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

test.each([
  ['+4930123456', '+4930123456'],
  ['+4930123456; +4930123457', '"+4930123456; +4930123457"'],
  ['=1+1', "'=1+1"],
  ['+1+cmd|calc', "'+1+cmd|calc"],
  ['+4930123456; =1', '"\'+4930123456; =1"'],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['plain', 'plain'],
])('without Excel the cell %j is written %j', (text, written) => {
  expect(cell(text, { excel: false })).toBe(written);
});

test('without Excel there is no byte order mark', async () => {
  const rows = (async function* () {
    yield 'x';
  })();
  const lines: string[] = [];
  for await (const line of csv(['a'], (row: string) => [row], rows, { excel: false })) lines.push(line);
  expect(lines).toEqual(['a\r\n', 'x\r\n']);
});
