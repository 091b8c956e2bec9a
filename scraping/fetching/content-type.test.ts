import { effectiveContentType } from './content-type.ts';

// The cases of the Fetch standard, and what Chromium showed each of as.
it.each([
  [[], null],
  [['text/html; charset=UTF-8'], 'text/html; charset=UTF-8'],
  [['text/plain', 'text/html; charset=utf-8'], 'text/html; charset=utf-8'],
  [['text/html; charset=utf-8', 'text/plain'], 'text/plain'],
  [['text/html;charset=gbk', 'text/html'], 'text/html; charset=gbk'],
  [['text/html;charset=gbk', 'text/html;charset=utf-8'], 'text/html;charset=utf-8'],
  [['text/html;charset=gbk', 'x/x', 'text/html;x=y'], 'text/html;x=y'],
  [['text/html', 'nonsense', '', '*/*'], 'text/html'],
  [['text/plain, text/html'], 'text/html'],
  [['text/html; charset="a,b", text/html'], 'text/html; charset="a,b"'],
  [['TEXT/HTML; charset=gbk', 'text/html'], 'text/html; charset=gbk'],
  [['nonsense', 'more of it'], 'nonsense'],
])('of the types %j the answer has %j', (values, type) => {
  expect(effectiveContentType(values)).toBe(type);
});
