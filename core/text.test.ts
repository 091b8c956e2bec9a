import { expect, test } from '@jest/globals';
import { decodeUri, fold, foldNames, foldWords, withoutNul } from './text.ts';

test('folded text is lower case without accents', () => {
  expect(fold('Zürich — Ça va, ﬁn?')).toBe('zurich — ca va, fin?');
  expect(fold('GROẞ')).toBe('groß');
});

test('folded words are letters and digits with one space between', () => {
  expect(foldWords('  (Müller & Söhne)  GmbH/24 ')).toBe('muller sohne gmbh 24');
  expect(foldWords('—')).toBe('');
});

test.each(['Weiße Straße', 'WEIẞE STRAẞE', 'Weisse Strasse'])('%s is one name', (name) => {
  expect(foldNames(name)).toBe('weisse strasse');
});

test('percent encoding is decoded, and left as it is if it is not UTF-8', () => {
  expect(decodeUri('/stra%C3%9Fe')).toBe('/straße');
  expect(decodeUri('/stra%DFe 100%')).toBe('/stra%DFe 100%');
});

test('NUL is left out', () => {
  expect(withoutNul('a\0b\0')).toBe('ab');
});
