import { compileGlob, createScope } from './scope.ts';

const SEED = 'https://www.example.co.uk/start';
const site = (options: { include?: string[]; exclude?: string[]; sameOrigin?: boolean }) =>
  createScope([SEED], { sameOrigin: true, ...options });

test('a crawl stays on its origin', () => {
  const { includes } = site({});
  expect(includes('https://www.example.co.uk/other')).toBe(true);
  for (const url of [
    'http://www.example.co.uk/',
    'https://www.example.co.uk:8443/',
    'https://example.co.uk/',
  ]) {
    expect(includes(url)).toBe(false);
  }
});

test('a crawl without same_origin covers all subdomains of the registrable domain, and no other domain', () => {
  const { includes } = site({ sameOrigin: false });
  expect(includes('https://shop.example.co.uk/')).toBe(true);
  expect(includes('http://example.co.uk/')).toBe(true);
  expect(includes('https://other.co.uk/')).toBe(false);
  expect(createScope(['http://127.0.0.1:8080/'], { sameOrigin: false }).includes('http://127.0.0.2/')).toBe(
    false,
  );
});

test('the target of a redirected seed is in scope', () => {
  const scope = site({});
  scope.extendTo('https://example.co.uk/');
  expect(scope.includes('https://example.co.uk/a')).toBe(true);
});

test('files that are not pages are out of scope', () => {
  const { includes } = site({});
  expect(includes('https://www.example.co.uk/picture.JPG')).toBe(false);
  expect(includes('https://www.example.co.uk/page.html?file=a.jpg')).toBe(true);
  for (const name of ['flyer.pdf', 'Prices.XLSX', 'letter.docx', 'list.csv']) {
    expect(includes(`https://www.example.co.uk/${name}`)).toBe(true);
  }
  for (const name of ['setup.exe', 'all.zip', 'old.doc']) {
    expect(includes(`https://www.example.co.uk/${name}`)).toBe(false);
  }
});

test('exclude takes precedence over include', () => {
  const { includes } = site({ include: ['/docs/**'], exclude: ['**/old/**', '*-draft'] });
  expect(includes('https://www.example.co.uk/docs/a/b')).toBe(true);
  expect(includes('https://www.example.co.uk/blog/a')).toBe(false);
  expect(includes('https://www.example.co.uk/docs/old/a')).toBe(false);
  expect(includes('https://www.example.co.uk/docs/a-draft')).toBe(false);
});

test.each([
  ['/docs/*', '/docs/a', true],
  ['/docs/*', '/docs/a/b', false],
  ['/docs/**', '/docs/a/b', true],
  ['/docs/**', '/docs', true],
  ['/docs/**', '/docsearch', false],
  ['docs/**', '/docs/a', true],
  ['**/a/**', '/x/y/a/z', true],
  ['/a/**/c', '/a/c', true],
  ['/a/**/c', '/a/b/b/c', true],
  ['*.html', '/x/page.html', true],
  ['release', '/a/release/b', true],
  ['/list?page=*', '/list?page=2', true],
  ['/list', '/list?page=2', true],
  ['/caf\u00e9/*', '/caf%C3%A9/menu', true],
  ['https://www.example.co.uk/a*', '/abc', true],
  ['http*://*.example.co.uk/**', '/abc/d', true],
  ['https://WWW.Example.co.uk:443/abc', '/abc', true],
  ['https://www.example.co.uk', '/', true],
  ['https://www.example.co.uk', '/a', false],
  ['https://*.example.co.uk**', '/a/b', true],
  ['https://www.example.co.uk/caf\u00e9/*', '/caf%C3%A9/menu', true],
  ['https://www.example.co.uk/?q=caf\u00e9', '/?q=caf%C3%A9', true],
  ['/list?q=caf\u00e9*', '/list?q=caf%C3%A9s', true],
  ['/a.b', '/axb', false],
  ['/@*/**', '/x/y', false],
  ['/a/**/**/c', '/a/c', true],
  [`/${'*a'.repeat(400)}b`, `/${'a'.repeat(1900)}`, false],
  [`/${'**a'.repeat(300)}b`, `/${'a'.repeat(1900)}`, false],
  [`/${'**a'.repeat(300)}`, `/${'a'.repeat(1900)}`, true],
])('%s and %s', (pattern, path, fits) => {
  expect(compileGlob(pattern)(new URL(path, SEED).href)).toBe(fits);
});

test('a pattern with an international host matches its Punycode', () => {
  expect(compileGlob('https://m\u00fcnchen.de/**')('https://xn--mnchen-3ya.de/a/b')).toBe(true);
});
