import { expect, test } from '@jest/globals';
import { parseUrl } from './parse-url.ts';

test('a URL with letters of Latin-1 is one, however often it is asked', () => {
  const link = 'https://münchen.example/straße/?q=ä';
  const seen = new Set<string | undefined>();
  for (let call = 0; call < 50_000; call += 1) {
    seen.add(parseUrl(link)?.href);
    seen.add(parseUrl('/straße/?q=ä', 'https://münchen.example')?.href);
  }
  expect([...seen]).toEqual(['https://xn--mnchen-3ya.example/stra%C3%9Fe/?q=%C3%A4']);
});

test.each([['no url'], ['http://'], ['//a.example'], ['http://[1'], ['']])('%j is none', (text) => {
  expect(parseUrl(text)).toBeNull();
});

test('relative to a base that is none, nothing is a URL', () => {
  expect(parseUrl('a', 'b')).toBeNull();
  expect(parseUrl('a', new URL('https://a.example/b/c'))?.href).toBe('https://a.example/b/a');
});
