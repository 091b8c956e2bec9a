import { scrapeRequest } from './schemas.ts';

const issuesOf = (body: unknown) =>
  scrapeRequest
    .safeParse(body)
    .error?.issues.map(({ path, message }) => ({ path: path.join('.'), message })) ?? [];

test('a request that says nothing to look for is refused', () => {
  expect(issuesOf({})).toEqual([
    { path: '', message: 'expected at least one of urls, search_query, industry, keywords' },
  ]);
});

test.each([
  'file:///etc/passwd',
  'data:text/html,x',
  'javascript:alert(1)',
  'view-source:http://x/',
  'x',
  '//x/',
])('the address %s is not of the web', (url) => {
  expect(issuesOf({ urls: ['https://example.com/', url] }).map(({ path }) => path)).toEqual(['urls.1']);
});

test('free fields are handed on untouched', () => {
  const metadata = { emoji: '👩‍🚀', quote: '"\\u0000"', nested: [{ a: null }] };
  expect(scrapeRequest.parse({ keywords: ['x'], metadata }).metadata).toEqual(metadata);
});
