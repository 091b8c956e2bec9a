import { JsonCheck, JsonProblem } from './check.ts';
import { isExact } from './exact.ts';

/** The result for a text, which must be the same in one slice and byte by byte. */
function problemOf(text: string | Buffer, limits?: ConstructorParameters<typeof JsonCheck>[1]) {
  const results = [Number.POSITIVE_INFINITY, 1].map((slice) => {
    const check = new JsonCheck(Buffer.from(text), limits);
    try {
      while (!check.advance(slice));
      return null;
    } catch (error) {
      if (!(error instanceof JsonProblem)) throw error;
      return { kind: error.kind, path: error.path.join('.'), message: error.message };
    }
  });
  expect(results[1]).toEqual(results[0]);
  return results[0];
}

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test.each([
  ...[
    '',
    ' ',
    '{',
    '}',
    '[',
    ']',
    '{]',
    '[}',
    '[1,]',
    '[,1]',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{a:1}',
    "{'a':1}",
  ],
  ...[
    '{"a":1}{',
    '[] []',
    '01',
    '-',
    '-a',
    '1.',
    '.5',
    '1e',
    '1e+',
    '+1',
    '0x1',
    'NaN',
    'Infinity',
    'tru',
    'truth',
  ],
  ...[
    'nul',
    'undefined',
    '"',
    '"\\',
    '"\\x"',
    '"\\u12"',
    '"\\u12g4"',
    '"a\nb"',
    '"a\tb"',
    '"\u0000"',
    '[1 2]',
  ],
  ...[
    '[1e5,-0.5E-3, 0 ,-0,"\\u00e9\\n\\/",true,false,null,{},[]]',
    ' {"a" : {"b":[{}]} , "c":"d"}\r\n\t',
    '"\u007f"',
  ],
  ...['{"":{"":0}}', '"\\ud83d\\ude00"', '[[[[]]]]', '// a\n1', '{"a":1 /* b */}', '\ufeff1', '[1]\u00a0'],
])('is as strict as JSON.parse: %j', (text) => {
  expect(problemOf(text)).toEqual(parses(text) ? null : expect.objectContaining({ kind: 'syntax' }));
});

test.each([
  ['{"urls":["a",]}', 'line 1, column 14: expected a value'],
  ['{\n  "urls": ["a"],\n  "max_leads": 5,\n}', 'line 4, column 1: expected a field name in double quotes'],
  ['{\r\n "é𝄞": tru }', 'line 2, column 11: expected true'],
  ['{"a": "b', 'line 1, column 9: expected " at the end of a text, got the end of the body'],
  ['{"a": 1', 'line 1, column 8: expected , or }, got the end of the body'],
  ['{"a": 1} x', 'line 1, column 10: expected nothing more'],
])('locates the mistake: %j', (text, message) => {
  expect(problemOf(text)).toEqual({ kind: 'syntax', path: '', message });
});

test('locates a mistake at the end of ten megabytes', () => {
  const text = Buffer.from(`{"a":"${'\u00e9'.repeat(5_000_000)}`);
  expect(() => new JsonCheck(text).advance()).toThrow(/^line 1, column 5000007: /);
});

test.each([
  ['{"a":1,"b":2,"a":1}', 'a'],
  ['{"m":[{"x":{"y":1,"\\u0079":2}}]}', 'm.0.x.y'],
  ['{"m":{"n":9007199254740993}}', 'm.n'],
  ['[1,[2,12345678901234567890]]', '1.1'],
  ['{"a":0.1000000000000000055}', 'a'],
  ['{"a":1e400}', 'a'],
  ['{"a":-1e-400}', 'a'],
  ['{"a":["\\u0000"]}', 'a.0'],
  ['{"a":{"\\u0000":1}}', 'a'],
  ['{"a":"\\ud800"}', 'a'],
  ['{"a":"\\ud800\\ud800"}', 'a'],
  ['{"a":"\\udc00\\ud800"}', 'a'],
  ['{"a":"\\ud800x"}', 'a'],
  ['{"a":{"__proto__":1}}', 'a.__proto__'],
  ['{"a":{"\\u005f_proto__":1}}', 'a.__proto__'],
])('refuses values that would not round-trip: %j', (text, path) => {
  expect(problemOf(text)).toMatchObject({ kind: 'refused', path });
});

test('refuses deep nesting without exhausting the stack', () => {
  for (const [open, close] of ['[]', ['{"a":', '}']] as const) {
    expect(problemOf(`${open?.repeat(40_000)}1${close?.repeat(40_000)}`)).toMatchObject({ kind: 'refused' });
  }
  expect(problemOf('['.repeat(100) + ']'.repeat(100))).toBeNull();
});

test.each([
  '0',
  '-0',
  '1.50',
  '15e-1',
  '1E2',
  '100000000000000000000',
  '1e21',
  '9007199254740992',
  '0.1',
  '5e-324',
  '0e999',
])('%s is exact', (text) => expect(isExact(text)).toBe(true));
test.each([
  '9007199254740993',
  '1e309',
  '4e-324',
  '0.30000000000000004441',
  '123456789012345678',
  '1.0000000000000001',
])('%s is not', (text) => expect(isExact(text)).toBe(false));

describe('items', () => {
  const limits = { field: 'jobs', maxItems: 3, maxBytes: 20 };

  test('are located', () => {
    const text = ' {"x":[1], "jobs" : [ {"a":[1,2]} , 5,"é" ],"y":{"jobs":[1,2,3,4]}}';
    const check = new JsonCheck(Buffer.from(text), { ...limits, maxBytes: 70 });
    check.advance();
    expect(check.items.map(([from, to]) => Buffer.from(text).toString('utf8', from, to))).toEqual([
      '{"a":[1,2]}',
      '5',
      '"é"',
    ]);
  });

  test.each([
    ['too many', '{"jobs":[1,2,3,4]}', 'jobs'],
    ['one that is too long', '{"jobs":[1,[1,2,3,4,5,6,7,8,9,10,11]]}', 'jobs.1'],
    ['one text that is too long', `{"jobs":["${'x'.repeat(30)}"]}`, 'jobs.0'],
    ['too much beside them', `{"jobs":[1],"x":"${'x'.repeat(30)}"}`, ''],
    ['too much before them', `{"x":[1,2,3,4,5,6,7,8,9,1,2,3],"jobs":[]}`, ''],
  ])('are refused: %s', (_what, text, path) => {
    expect(problemOf(text, limits)).toMatchObject({ kind: 'refused', path });
  });
});
