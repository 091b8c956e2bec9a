import { describe, expect, test } from '@jest/globals';
import type { Lead } from '../leads/lead.ts';
import { eraseFromLead } from './erase.ts';
import { type ErasureTarget, searchFor } from './target.ts';

const lead: Lead = {
  ...{ company: 'Acme', website: 'https://acme.example/', domain: 'acme.example' },
  emails: ['Ada+web@acme.example', 'info@acme.example', 'ada@other.example'],
  phones: ['+493012345678', '030 87654321'],
  ...{ faxes: ['+493012345679'], addresses: [], industry: null },
  description: 'Write to ada@acme.example, or call 030/1234 5678.',
  ...{ socials: {}, employees: null, logo: null, legal_name: null, legal_form: null },
  people: [
    { name: 'Ada Lovelace', role: 'CEO', email: 'ada@acme.example', phone: null },
    { name: 'Charles Babbage', role: null, email: null, phone: '+493012345678' },
  ],
  ...{ registrations: [], opening_hours: [], language: 'en' },
  email_kinds: { 'Ada+web@acme.example': 'person', 'info@acme.example': 'role' },
  phone_kinds: { '+493012345678': 'fixed' },
  sources: ['website'],
  evidence: [
    {
      ...{ field: 'email', value: 'Ada+web@acme.example', url: 'https://acme.example/a', method: 'text' },
      ...{ snippet: 'Ada Lovelace, Ada+web@acme.example', confidence: 1 },
    },
    {
      ...{ field: 'company', value: 'Acme', url: 'https://acme.example/a', method: 'text' },
      ...{ snippet: 'Acme, ada@acme.example', confidence: 1 },
    },
  ],
  unverified_filters: [],
};
const erase = (target: ErasureTarget) => eraseFromLead(lead, searchFor(target).erased);

describe('what is erased leaves a lead', () => {
  test('an e-mail address with its tags, its person, its evidence and its mentions', () => {
    const left = erase({ email: 'ADA@acme.example' });
    expect(left?.emails).toEqual(['info@acme.example', 'ada@other.example']);
    expect(left?.people.map(({ name }) => name)).toEqual(['Charles Babbage']);
    expect(left?.email_kinds).toEqual({ 'info@acme.example': 'role' });
    expect(left?.description).toBe('Write to [erased], or call 030/1234 5678.');
    expect(left?.evidence.map(({ snippet }) => snippet)).toEqual(['Acme, [erased]']);
    expect(JSON.stringify(left)).not.toMatch(/ada(\+web)?@acme/i);
  });

  test('a phone number, whether or not it is written with its country', () => {
    const left = erase({ phone: '+49 30 12345678' });
    expect(left).toMatchObject({ phones: ['030 87654321'], phone_kinds: {} });
    expect(left?.people.map(({ name }) => name)).toEqual(['Ada Lovelace']);
    expect(left?.description).toBe('Write to ada@acme.example, or call [erased].');
    expect(erase({ phone: '+493087654321' })?.phones).toEqual(['+493012345678']);
  });

  test('a person at a domain, by name', () => {
    const left = erase({ name: 'ada  lovelace', domain: 'www.acme.example' });
    expect(left?.people.map(({ name }) => name)).toEqual(['Charles Babbage']);
    expect(JSON.stringify(left)).not.toMatch(/lovelace/i);
    expect(erase({ name: 'Ada Lovelace', domain: 'other.example' })?.people).toHaveLength(2);
  });

  test('a domain takes its business, and its addresses elsewhere', () => {
    expect(erase({ domain: 'acme.example' })).toBeNull();
    expect(erase({ domain: 'other.example' })?.emails).toEqual(['Ada+web@acme.example', 'info@acme.example']);
  });

  test('a lead that holds nothing of it stays the same object', () => {
    expect(erase({ email: 'grace@acme.example' })).toBe(lead);
    expect(erase({ domain: 'me.example' })).toBe(lead);
    expect(erase({ phone: '+49301234567' })).toBe(lead);
  });
});

test.each<[ErasureTarget, string, boolean]>([
  [{ email: 'ada@acme.example' }, 'mailto:ada%40acme.example', true],
  [{ email: 'ada@acme.example' }, 'grada@acme.example', false],
  [{ email: 'ada@acme.example' }, 'ada@acme.example.com', false],
  [{ email: 'ada@acme.example' }, 'ada@acme.example.', true],
  [{ email: 'ada@müller.de' }, 'ADA@xn--mller-kva.de and ada@Müller.de', true],
  [{ domain: 'acme.de' }, 'https://shop.acme.de/x', true],
  [{ domain: 'acme.de' }, 'lacme.de', false],
  [{ domain: 'acme.de' }, 'acme.de.com', false],
  [{ phone: '+493012345678' }, '(030) 1234-5678', true],
  [{ phone: '+493012345678' }, '9993012345678', false],
])('%j is mentioned in %s: %s', (target, text, is) => {
  const { mentions, pattern } = searchFor(target);
  expect(mentions(text)).toBe(is);
  // What the database looks for finds at least as much.
  if (is) expect(new RegExp(pattern, 'i').test(text)).toBe(true);
});
