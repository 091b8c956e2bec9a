import { scrapeRequest } from './job-schemas.ts';

const issuesOf = (body: unknown) =>
  scrapeRequest
    .safeParse(body)
    .error?.issues.map(({ path, message }) => ({ path: path.join('.'), message })) ?? [];

test('a request without a target is refused', () => {
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
])('the URL %s is not an http(s) URL', (url) => {
  expect(issuesOf({ urls: ['https://example.com/', url] }).map(({ path }) => path)).toEqual(['urls.1']);
});

test('free-form fields are passed on unchanged', () => {
  const metadata = { emoji: '👩‍🚀', quote: '"\\u0000"', nested: [{ a: null }] };
  expect(scrapeRequest.parse({ keywords: ['x'], metadata }).metadata).toEqual(metadata);
});

test('a selector that does not parse is reported at its field', () => {
  const body = {
    urls: ['https://example.com/'],
    extract: { title: 'h1[', items: { selector: '.item', fields: { price: 'b:prise' } } },
    actions: [
      { type: 'click', selector: '#1' },
      { type: 'wait', selector: 'a >' },
    ],
  };
  expect(issuesOf(body)).toEqual([
    { path: 'extract.title', message: 'not a CSS selector: expected the name of an attribute (its end)' },
    {
      path: 'extract.items.fields.price',
      message: 'not a CSS selector: there is no pseudo-class :prise (character 2)',
    },
    { path: 'actions.0.selector', message: expect.stringMatching(/^not a CSS selector: expected an id/) },
    { path: 'actions.1.selector', message: expect.stringMatching(/^not a CSS selector: .* \(its end\)$/) },
  ]);
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
    expect(problems({ render: 'http', mobile: true, timezone: 'Europe/Berlin' })).toEqual([
      'timezone',
      'mobile',
    ]);
  });

  it.each([
    { render: 'http', formats: ['markdown', 'links'], actions: [] },
    { render: 'auto', formats: ['pdf'], actions: [{ type: 'scroll' }] },
    { formats: ['screenshot'] },
  ])('accepts %j', (body) => {
    expect(problems(body)).toEqual([]);
  });
});

describe('a header of a job', () => {
  test.each(['', 'a b', '\tcaf\u00e9', 'x'.repeat(8192)])('may be %j', (value) => {
    expect(issuesOf({ urls: ['https://example.com/'], headers: { 'x-a': value } })).toEqual([]);
  });

  test.each([
    ['a\r\nb: c', 'expected one line'],
    ['a\u0001', 'expected Latin-1 text without control characters'],
    ['a\u007f', 'expected Latin-1 text without control characters'],
    ['\u20ac', 'expected Latin-1 text without control characters'],
  ])('may not be %j', (value, message) => {
    expect(issuesOf({ urls: ['https://example.com/'], headers: { 'x-a': value } })).toEqual([
      expect.objectContaining({ path: 'headers.x-a', message }),
    ]);
  });
});

describe('browser identity fields', () => {
  test.each([
    [{ viewport: { width: 0, height: 10 } }, 'viewport.width'],
    [{ viewport: { width: 10 } }, 'viewport.height'],
    [{ locale: 'not a language' }, 'locale'],
    [{ timezone: 'Mars/Olympus' }, 'timezone'],
    [{ timezone: '+02:00' }, 'timezone'],
    [{ mobile: 'yes' }, 'mobile'],
    [{ cookies: [{ name: 'a b', value: '' }] }, 'cookies.0.name'],
    [{ cookies: [{ name: 'a', value: 'b; Domain=x' }] }, 'cookies.0.value'],
    [{ cookies: [{ name: 'a', value: 'b\u0000' }] }, 'cookies.0.value'],
    [{ cookies: [{ name: 'a', value: 'b', url: 'http://a.example/', domain: 'a.example' }] }, 'cookies.0'],
  ])('%j is refused', (fields, path) => {
    expect(issuesOf({ urls: ['https://example.com/'], ...fields }).map((issue) => issue.path)).toEqual([
      path,
    ]);
  });

  test('valid values are accepted', () => {
    const fields = {
      ...{
        viewport: { width: 390, height: 844 },
        locale: 'pt-BR',
        timezone: 'America/Sao_Paulo',
        mobile: true,
      },
      cookies: [
        { name: 'session', value: 'a"b', domain: '.example.com', path: '/x', same_site: 'lax', expires: 2e9 },
      ],
    };
    expect(issuesOf({ urls: ['https://example.com/'], ...fields })).toEqual([]);
  });
});

describe('the main content', () => {
  it.each([true, false, 'precise', 'balanced', 'complete'])('%j is accepted', (main_content) => {
    expect(issuesOf({ urls: ['https://example.com/'], main_content })).toEqual([]);
  });

  it.each(['exact', 'true', 1, null])('%j is refused, with what is accepted', (main_content) => {
    expect(issuesOf({ urls: ['https://example.com/'], main_content })).toEqual([
      expect.objectContaining({
        path: 'main_content',
        message: 'expected true, false or one of precise, balanced, complete',
      }),
    ]);
  });
});

describe('a proxy', () => {
  test.each([
    'http://proxy.example:8080',
    'https://user:p%40ss@proxy.example',
    'socks5://127.0.0.1:1080/',
    ['http://a.example:1', 'socks5://b.example:2'],
  ])('%j is accepted', (proxy) => {
    expect(issuesOf({ urls: ['https://example.com/'], proxy })).toEqual([]);
  });

  test.each([
    'proxy.example:8080',
    'ftp://secret@x/',
    'http://x/path',
    'socks4://x',
    'http://u%zz:secret@x/',
    [],
  ])('%j is refused, and the error does not contain its credentials', (proxy) => {
    const issues = issuesOf({ urls: ['https://example.com/'], proxy });
    expect(issues.map(({ path }) => path)).toEqual(['proxy']);
    expect(JSON.stringify(issues)).not.toContain('secret');
  });
});

describe('extract', () => {
  const issues = (extract: unknown) => issuesOf({ keywords: ['x'], extract });

  it.each([
    ['a selector', { price: '.price' }],
    ['an attribute', { links: { selector: 'a', attribute: 'href', many: true } }],
    ['a type', { price: { selector: '.price', type: 'number' } }],
    [
      'fields',
      {
        items: {
          selector: 'li',
          many: true,
          fields: { name: 'b', more: { selector: 'i', fields: { a: 'a' } } },
        },
      },
    ],
  ])('takes %s', (_what, extract) => {
    expect(issues(extract)).toEqual([]);
    expect(scrapeRequest.parse({ keywords: ['x'], extract }).extract).toEqual(extract);
  });

  it.each<[string, unknown, string[]]>([
    ['of the wrong kind', { a: 1 }, ['extract.a']],
    ['unknown', { a: { selector: 'b', css: 'x' } }, ['extract.a.css']],
    ['of no type', { a: { selector: 'b', type: 'price' } }, ['extract.a.type']],
    [
      'further down',
      { a: { selector: 'b', fields: { c: { selector: '' } } } },
      ['extract.a.fields.c.selector'],
    ],
    ['of both kinds', { a: { selector: 'b', attribute: 'x', fields: { c: 'd' } } }, ['extract.a.attribute']],
  ])('names the path of a field %s', (_what, extract, paths) => {
    expect(issues(extract).map(({ path }) => path)).toEqual(paths);
  });

  it('is at most five fields deep', () => {
    const nested = (depth: number): unknown =>
      depth === 0 ? 'b' : { selector: 'a', fields: { a: nested(depth - 1) } };
    expect(issues({ a: nested(4) })).toEqual([]);
    expect(issues({ a: nested(5) })).toEqual([
      {
        path: 'extract.a.fields.a.fields.a.fields.a.fields.a.fields',
        message: 'expected fields at most 5 deep',
      },
    ]);
  });
});
