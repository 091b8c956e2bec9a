import { date, emailAddress, momentInQuery, text, webUrl } from './schema-primitives.ts';

const fits = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

test.each([
  'info@example.com',
  'a.b+c@example.co.uk',
  'info@exämple.de',
  'jürgen@müller.de',
  '用户@例子.公司',
  'посылка@почта.рф',
  'info@xn--exmple-cua.de',
])('%s is an e-mail address', (address) => expect(fits(emailAddress, address)).toBe(true));

test.each([
  ...[
    '',
    'a',
    '@',
    'a@',
    '@example.com',
    'a b@example.com',
    'a@b',
    'a@@example.com',
    'a@exa mple.com',
    'a@例 子.公司',
  ],
  ...[
    'a@example.com\n',
    'a\r\nbcc: x@y.de@example.com',
    'a@example.com, b@example.com',
    '<a@example.com>',
    'a@-ä.de/',
  ],
  ...[
    'a\0@example.com',
    'ä..b@example.com',
    `${'ü'.repeat(400)}@example.com`,
    '\u202eä@example.com',
    'a@ä?.de',
  ],
])('%j is not an e-mail address', (address) => expect(fits(emailAddress, address)).toBe(false));

test('a string that is too long is refused before any other rule runs', () => {
  for (const schema of [emailAddress, text(100), webUrl]) {
    for (const part of [' ', 'a', '1,', 'a@', '.', '%', 'http://'])
      expect(fits(schema, part.repeat(50_000))).toBe(false);
  }
});

test.each([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31T12:00:00+01:00', '2026-01-31T11:00:00.000Z'],
  // An offset whose + was not encoded.
  ['2026-01-31T12:00:00 01:00', '2026-01-31T11:00:00.000Z'],
  ['2026-01-31T12:00:00-05:30', '2026-01-31T17:30:00.000Z'],
])('the moment %s of a query is %s', (given, moment) => {
  expect(momentInQuery.parse(given)).toBe(moment);
});

test.each(['', '2026-01-31', '2026-02-30T12:00:00Z', '2026-01-31T12:00:00', '2026-01-31 12:00:00', '0'])(
  '%j is no moment, and the message shows one',
  (given) => {
    expect(momentInQuery.safeParse(given).error?.issues).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/^expected a moment as 2026-01-31T12:00:00Z/),
      }),
    ]);
  },
);

test.each(['0000-01-01', '1969-12-31', '9999-01-01', '2026-02-30', ''])('%j is no date', (given) => {
  expect(fits(date, given)).toBe(false);
});
