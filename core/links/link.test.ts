import { describe, expect, test } from '@jest/globals';
import { countryOf, generateCode, LINK_CODE, referrerHost } from './link.ts';

describe('a code', () => {
  test('is short, readable aloud and unique', () => {
    const codes = Array.from({ length: 1000 }, () => generateCode(false));
    expect(new Set(codes).size).toBe(1000);
    for (const code of codes) expect(code).toMatch(/^[2-9a-hjkmnp-z]{8}$/);
  });

  test('of a shared result is long enough for a secret', () => {
    expect(generateCode(true)).toMatch(/^[2-9a-hjkmnp-z]{16}$/);
  });

  test.each(['spring-sale', 'A_1', 'x'.repeat(64)])('may be chosen: %s', (code) => {
    expect(code).toMatch(LINK_CODE);
  });

  test.each(['ab', '-ab', 'a b', 'a/b', 'a+', 'é12', '', 'x'.repeat(65)])('may not be %j', (code) => {
    expect(code).not.toMatch(LINK_CODE);
  });
});

test.each([
  ['https://News.example.com/a?b=c', 'news.example.com'],
  ['http://example.com:8080', 'example.com:8080'],
  ['android-app://com.example', null],
  ['https://user@example.com/', null],
  ['nonsense', null],
  [undefined, null],
])('the referrer %s is counted as %s', (referer, host) => {
  expect(referrerHost(referer)).toBe(host);
});

test.each([
  ['de-AT,de;q=0.9,en-US;q=0.5', 'AT'],
  ['en,fr-CA;q=0.8', 'CA'],
  ['zh-Hant-TW', 'TW'],
  ['en', null],
  ['*', null],
  [undefined, null],
])('the country of the languages %s is %s', (languages, country) => {
  expect(countryOf(languages)).toBe(country);
});
