import { normalizeUrl, splitUrl, urlKey } from './normalized-url.ts';

const keyOf = (link: string, base?: string) => normalizeUrl(link, base)?.key;

test.each([
  ['HTTP://Example.COM:80/a/../b/./c#part', 'http://example.com/b/c'],
  ['https://example.com:443', 'https://example.com/'],
  ['https://example.com./a', 'https://example.com/a'],
  ['https://user:secret@example.com/', 'https://example.com/'],
  ['https://example.com/%7Euser/caf%c3%a9', 'https://example.com/~user/caf%C3%A9'],
  ['https://example.com/?utm_source=x&utm_medium=y&id=7&gclid=z', 'https://example.com/?id=7'],
  ['https://example.com/a;jsessionid=0A1B2C3D4E5F60718293?x=1', 'https://example.com/a?x=1'],
  ['https://example.com/?PHPSESSID=0a1b2c3d4e5f60718293&p=2', 'https://example.com/?p=2'],
  ['https://example.com/?', 'https://example.com/'],
  ['https://example.com/app#/about?b=2&a=1', 'https://example.com/app#/about?b=2&a=1'],
  ['https://example.com/?b=2&a=1#!contact', 'https://example.com/?b=2&a=1#!contact'],
  ['https://example.com/#/', 'https://example.com/'],
  ['https://example.com/#!', 'https://example.com/'],
])('%s is %s', (link, url) => {
  expect(normalizeUrl(link)?.url).toBe(url);
});

test('the order of query fields is kept in requests and ignored in the key', () => {
  expect(keyOf('https://example.com/?b=2&a=1')).toBe(keyOf('https://example.com/?a=1&b=2'));
  expect(normalizeUrl('https://example.com/?b=2&a=1')?.url).toBe('https://example.com/?b=2&a=1');
});

test('URLs that may be different pages have different keys', () => {
  expect(keyOf('https://example.com/a')).not.toBe(keyOf('https://example.com/a/'));
  expect(keyOf('https://example.com/A')).not.toBe(keyOf('https://example.com/a'));
  expect(keyOf('https://example.com/#/a')).not.toBe(keyOf('https://example.com/#/b'));
  expect(keyOf('https://example.com/?sid=3')).not.toBe(keyOf('https://example.com/?sid=4'));
});

test('links are resolved relative to their page, and only http(s) URLs count', () => {
  expect(normalizeUrl('../b?x#y', 'https://example.com/a/c/')?.url).toBe('https://example.com/a/b?x');
  for (const link of ['mailto:a@example.com', 'javascript:void(0)', 'http://', 'tel:1']) {
    expect(normalizeUrl(link)).toBeNull();
  }
});

test.each([
  'HTTP://Example.COM:8080/a/%7E../b?b=2&a=1&b=1#x',
  'https://example.com./%2E%2E/c;jsessionid=0A1B2C3D4E5F60718293?utm_source=x',
  'https://[2001:db8::1]:8443/?x=/?&a',
  'https://münchen.example/straße/?q=ä&&a==',
  'http://127.0.0.1',
  'https://example.com/?a=1&a=1&utm_id=3&b',
  'https://example.com/app?b=2&a=1#/teams/7?c=1&b=2',
])('the normalized %s is split as by a URL parser', (link) => {
  const address = normalizeUrl(link);
  if (!address) throw new Error('it is an address');
  const { origin, host, pathname, search, hash } = new URL(address.url);
  const parts = { origin, host, path: pathname, query: search.slice(1), route: hash };
  expect(splitUrl(address.url)).toEqual(parts);
  expect(normalizeUrl(address.url)).toEqual(address);
  expect(urlKey(address.url)).toBe(address.key);
});
