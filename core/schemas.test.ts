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

describe('render: http', () => {
  const problems = (body: object) => {
    const parsed = scrapeRequest.safeParse({ urls: ['https://a.example/'], ...body });
    return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'));
  };

  it('refuses what only a browser can do, and names it', () => {
    expect(problems({ render: 'http', formats: ['markdown', 'pdf', 'screenshot'] })).toEqual([
      'formats.1',
      'formats.2',
    ]);
    expect(problems({ render: 'http', actions: [{ type: 'scroll' }] })).toEqual(['actions']);
  });

  it.each([
    { render: 'http', formats: ['markdown', 'links'], actions: [] },
    { render: 'auto', formats: ['pdf'], actions: [{ type: 'scroll' }] },
    { formats: ['screenshot'] },
  ])('is told from %j', (body) => {
    expect(problems(body)).toEqual([]);
  });
});
