import { describe, expect, test } from '@jest/globals';
import type { Address } from '../../core/leads/lead.ts';
import type { Observation } from '../extraction/contacts/finding.ts';
import { companyKey, mergeLead, toObservations } from './merge.ts';

const found = (field: Observation['field'], value: string, more: Partial<Observation> = {}): Observation => ({
  ...{ field, value, url: 'https://acme.example/', method: 'text', snippet: value, confidence: 0.6 },
  ...more,
});

const merge = (...observations: Observation[]) =>
  mergeLead({
    ...{ website: 'https://acme.example/', domain: 'acme.example', sources: ['bing', 'bing', 'website'] },
    observations,
  });

const at = (parts: Partial<Address>): Partial<Observation> => ({
  address: {
    ...{ text: '', street: null, city: null, region: null, postal_code: null, country: null },
    ...parts,
  },
});

describe('names of one company', () => {
  test.each([
    ['Acme GmbH', 'ACME'],
    ['Müller & Söhne GmbH', 'Muller Sohne'],
    ['Weiße Möbel AG', 'WEISSE MOBEL'],
  ])('%s is %s', (name, other) => {
    expect(companyKey(name)).toBe(companyKey(other));
  });

  test('are one value, in the spelling that is surest', () => {
    const lead = merge(found('company', 'ACME'), found('company', 'Acme GmbH', { confidence: 0.9 }));
    expect(lead.company).toBe('Acme GmbH');
    expect(lead.evidence.map(({ value }) => value)).toEqual(['Acme GmbH']);
  });
});

test('sources are named once', () => {
  expect(merge().sources).toEqual(['bing', 'website']);
});

test('what few pages suggest and none is sure of is left out', () => {
  expect(merge(found('email', 'a@acme.example', { confidence: 0.2 })).emails).toEqual([]);
  const pages = ['/', '/a', '/b', '/c'].map((path) => `https://acme.example${path}`);
  const seen = pages.map((url) => found('email', 'a@acme.example', { confidence: 0.2, url }));
  expect(merge(...seen).emails).toEqual(['a@acme.example']);
});

test('one address is written in several ways, and a part of it is none', () => {
  const lead = merge(
    found('address', 'Hauptstraße 1, 12345 Berlin', {
      ...at({
        ...{ text: 'Hauptstraße 1, 12345 Berlin', street: 'Hauptstraße 1' },
        ...{ postal_code: '12345', city: 'Berlin' },
      }),
      confidence: 0.9,
    }),
    found(
      'address',
      'Hauptstr. 1, 12345 Berlin, DE',
      at({ street: 'Hauptstr. 1', postal_code: '12345', city: 'Berlin', country: 'DE' }),
    ),
    found('address', '12345 Berlin', at({ text: '12345 Berlin', postal_code: '12345', city: 'Berlin' })),
  );
  expect(lead.addresses).toEqual([
    {
      ...{ text: 'Hauptstraße 1, 12345 Berlin', street: 'Hauptstraße 1' },
      ...{ postal_code: '12345', city: 'Berlin', region: null, country: 'DE' },
    },
  ]);
});

test('a number is phone or fax, whichever is surer, and both on a line for both', () => {
  const number = '+4930123456';
  const surer = merge(
    found('phone', number),
    found('fax', number, { snippet: `Fax: ${number}`, confidence: 0.9 }),
  );
  expect([surer.phones, surer.faxes]).toEqual([[], [number]]);
  const shared = merge(found('fax', number, { snippet: `Tel./Fax: ${number}` }));
  expect([shared.phones, shared.faxes]).toEqual([[number], [number]]);
});

test('contacts behind the name of the web agency are not those of the site', () => {
  const snippet = 'Webdesign: studio@agency.example';
  expect(merge(found('email', 'studio@agency.example', { snippet })).emails).toEqual([]);
});

test('a stored lead gives its observations back, and merged again it is the same', () => {
  const observations = [
    found('company', 'Acme GmbH'),
    found('email', 'info@acme.example'),
    found('phone', '+4930123456', { url: 'https://acme.example/kontakt' }),
    found('social', 'https://www.linkedin.com/company/acme', { network: 'linkedin' }),
  ];
  const lead = merge(...observations);
  expect(merge(...toObservations({ ...lead, unverified_filters: [] }))).toEqual(lead);
});
