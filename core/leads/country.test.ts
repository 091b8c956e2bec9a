import { countryCode, countryOfGeography } from './country.ts';

test.each([
  ['Germany', 'DE'],
  ['deutschland', 'DE'],
  ['Allemagne', 'DE'],
  ['de', 'DE'],
  ['España', 'ES'],
  ['espana', 'ES'],
  ['UK', 'GB'],
  ['The Netherlands', 'NL'],
  ['USA', 'US'],
  ['Atlantis', null],
  ['EU', null],
  ['', null],
])('the country %p is %p', (text, code) => {
  expect(countryCode(text)).toBe(code);
});

test.each([
  ['Berlin, Germany', 'DE'],
  ['München', 'DE'],
  ['Lyon', 'FR'],
  ['Austin, TX', 'US'],
  ['Atlanta, Georgia, USA', 'US'],
  ['Vienna (Austria)', 'AT'],
  ['London UK', null],
  ['Springfield', null],
  ['Berlin, DE', 'DE'],
  ['Wilmington, DE', null],
  [undefined, null],
])('the geography %p lies in %p', (geography, code) => {
  expect(countryOfGeography(geography)).toBe(code);
});
