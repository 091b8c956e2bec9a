import { expect, test } from '@jest/globals';
import {
  domainIdentity,
  domainsAbove,
  emailIdentity,
  nationalNumber,
  personIdentity,
  phoneIdentity,
} from './identity.ts';

test.each([
  ['Ada@ACME.example', 'ada@acme.example'],
  ['ada+news+more@acme.example', 'ada@acme.example'],
  ['  ada@müller.example ', 'ada@xn--mller-kva.example'],
  ['ada@XN--MLLER-KVA.example', 'ada@xn--mller-kva.example'],
  ['+tag@acme.example', '+tag@acme.example'],
  ['ada', undefined],
  ['ada@b@c', undefined],
])('the e-mail address %s is %s', (text, value) => {
  expect(emailIdentity(text)?.value).toBe(value);
});

test.each([
  ['+49 (30) 1234-5678', '+493012345678', '3012345678'],
  ['+49 (0)30 12345678', '+493012345678', '3012345678'],
  ['0049 30 12345678', '+493012345678', '3012345678'],
  ['+1 (212) 555-0100', '+12125550100', '2125550100'],
  ['+353 1 234 5678', '+35312345678', '12345678'],
  ['030 / 12345678', '3012345678', undefined],
  ['110', undefined, undefined],
])('the phone number %s is %s, and %s within its country', (text, value, national) => {
  const identity = phoneIdentity(text);
  expect(identity?.value).toBe(value);
  expect(identity ? nationalNumber(identity)?.value : undefined).toBe(national);
});

test.each([
  ['https://www.Acme.co.uk/imprint?x=1', 'acme.co.uk'],
  ['shop.müller.de.', 'shop.xn--mller-kva.de'],
  ['acme.github.io', 'acme.github.io'],
  ['co.uk', undefined],
  ['localhost', undefined],
  ['', undefined],
])('the domain of %s is %s', (text, value) => {
  expect(domainIdentity(text)?.value).toBe(value);
});

test('a domain is covered by itself and each one above it, down to the registrable one', () => {
  const shop = domainIdentity('a.shop.acme.co.uk');
  expect(shop && domainsAbove(shop).map(({ value }) => value)).toEqual([
    ...['a.shop.acme.co.uk', 'shop.acme.co.uk', 'acme.co.uk'],
  ]);
});

test('a person is the same with and without accents, at one business', () => {
  expect(personIdentity('Zoë  GROß', 'www.acme.de')?.value).toBe('zoe gross@acme.de');
  expect(personIdentity('...', 'acme.de')).toBeNull();
});
