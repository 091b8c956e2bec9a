import { parseJsonExactly } from './exact-json.ts';

it('keeps numbers as written that a parser would change', () => {
  expect(
    parseJsonExactly(
      '{"id":1234567890123456789,"price":10.00,"big":-1e400,"n":[1,2.5,-3,0.10],"s":"10.00 \\" 1e400"}',
    ),
  ).toEqual({
    id: '1234567890123456789',
    price: '10.00',
    big: '-1e400',
    n: [1, 2.5, -3, '0.10'],
    s: '10.00 " 1e400',
  });
});

it('parses all other JSON as usual', () => {
  for (const json of ['{"a":[1,null,true,"\\u00e4"]}', '5', '"10.00"', '[]', '{"2026-03-04":1}'])
    expect(parseJsonExactly(json)).toEqual(JSON.parse(json));
  expect(() => parseJsonExactly('{"a":')).toThrow(SyntaxError);
});
