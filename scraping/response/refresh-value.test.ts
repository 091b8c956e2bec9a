import { parseRefresh } from './refresh-value.ts';

describe('a refresh', () => {
  it.each([
    ['0;url=/a', 0, '/a'],
    ["5; URL='x y'", 5, 'x y'],
    ['3 , url = "/a" b', 3, '/a'],
    ['0;URL="/a', 0, '/a'],
    ['\t1\n;\n/a', 1, '/a'],
    ['1 /a', 1, '/a'],
    ['1;uri=/a', 1, 'uri=/a'],
    ['1;url', 1, 'url'],
    ["1;'/a'b", 1, '/a'],
    ['1.9.9;url=/a', 1, '/a'],
    ['.5;url=/a', 0, '/a'],
    ['0;;url=/a', 0, ';url=/a'],
    ['5', 5, null],
    ['5;', 5, null],
    ['5 ; ', 5, null],
    ['0;url=', 0, ''],
  ])('%j is after %d seconds to %j', (value, seconds, url) => {
    expect(parseRefresh(value)).toEqual({ seconds, url });
  });

  it.each(['', ' ', 'url=/a', ';url=/a', '-1;url=/a', '0x;url=/a', '5url=/a'])('%j is none', (value) => {
    expect(parseRefresh(value)).toBeNull();
  });
});
