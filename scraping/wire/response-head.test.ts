import { HeadReader } from './response-head.ts';

const read = (text: string, pieces = text.length) => {
  const reader = new HeadReader();
  let reading = reader.push(Buffer.alloc(0));
  for (let at = 0; at < text.length && reading.kind === 'incomplete'; at += pieces)
    reading = reader.push(Buffer.from(text.slice(at, at + pieces), 'latin1'));
  return reading;
};

const headOf = (text: string) => {
  const reading = read(text);
  if (reading.kind !== 'head') throw new Error(reading.kind);
  return reading.head;
};

it.each([
  ['HTTP/1.1 200 OK\r\nA: b\r\n\r\n', [['a', 'b']]],
  ['HTTP/1.1 200 OK\nA:b\n\n', [['a', 'b']]],
  [
    'HTTP/1.1 200 OK\r\nA:   b c \t\r\nA: d\r\n\r\n',
    [
      ['a', 'b c'],
      ['a', 'd'],
    ],
  ],
  ['HTTP/1.1 200 OK\r\nA: b\r\n  c\r\n\td\r\n\r\n', [['a', 'b c d']]],
  ['HTTP/1.1 200 OK\r\nA : b\r\n\r\n', [['a', 'b']]],
  ['HTTP/1.1 200 OK\r\n: b\r\nno colon\r\nC:\r\n\r\n', [['c', '']]],
  ['HTTP/1.1 200 OK\r\n A: b\r\n\r\n', [['a', 'b']]],
  [
    'HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
])('the headers of %j', (text, fields) => {
  expect(headOf(text).fields).toEqual(fields);
});

it('is the same however it is chunked, and no byte after it is lost', () => {
  const text = 'HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n\r\nHTTP/1.1 200 OK\r\nA: b\n\r\n';
  const whole = read(`${text}body`);
  expect(whole).toMatchObject({ kind: 'head', head: { status: 200, fields: [['a', 'b']] } });
  expect(whole.kind === 'head' && whole.rest.toString()).toBe('body');
  for (const pieces of [1, 2, 3, 7])
    expect(read(text, pieces)).toMatchObject({ kind: 'head', head: { status: 200 } });
});

it.each([
  ['HTTP/1.1 404 Gone', 404, true],
  ['HTTP/1.0 200 OK', 200, false],
  ['HTTP/1.10 200 OK', 200, true],
  ['HTTP/2.0 200', 200, true],
  ['HTTP/3 200 OK', 200, false],
  ['HTTP/1.1   201', 201, true],
  ['HTTP/1.1 20x', 20, true],
  ['HTTP/1.1 x', 200, true],
  ['HTTP/1.1\t404 OK', 200, true],
  ['http', 200, false],
  ['HTTP/1.1 99999999999999999999', 2147483647, true],
])('the status of %j is %i', (line, status, isCurrent) => {
  expect(headOf(`${line}\r\n\r\n`)).toMatchObject({ status, isCurrent });
});

it.each([
  ['a NUL', 'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n', 'unreadable'],
  ['no HTTP', '<!doctype html>\r\n\r\n', 'unreadable'],
  ['too much', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(262_144)}`, 'unreadable'],
  ['too much in many heads', `${'HTTP/1.1 100 Go on\r\n\r\n'.repeat(12_000)}`, 'unreadable'],
  ['a part', 'HTTP/1.1 200 OK\r\nA: b\r\n', 'incomplete'],
  ['a letter', 'H', 'incomplete'],
  ['an announcement', 'HTTP/1.1 100 Continue\r\n\r\n', 'incomplete'],
])('%s is no head', (_name, text, kind) => {
  expect(read(text).kind).toBe(kind);
});
