import type { Lead } from './lead.ts';
import { applyFilters, leadFilters, parseRange } from './lead-filters.ts';

const lead = (fields: Partial<Lead> = {}): Lead => ({
  company: 'Acme',
  website: 'https://acme.de/',
  domain: 'acme.de',
  emails: [],
  phones: [],
  faxes: [],
  addresses: [],
  socials: {},
  industry: null,
  description: null,
  employees: null,
  logo: null,
  legal_name: null,
  legal_form: null,
  people: [],
  registrations: [],
  opening_hours: [],
  language: null,
  email_kinds: {},
  phone_kinds: {},
  sources: ['website'],
  evidence: [],
  unverified_filters: [],
  ...fields,
});
const inCountry = (country: string | null, city: string | null = null) => ({
  addresses: [{ text: '', street: null, city, region: null, postal_code: null, country }],
});

test.each([
  ['50-200', { min: 50, max: 200 }],
  ['1,000 - 5,000', { min: 1000, max: 5000 }],
  ['1.5M–20M', { min: 1.5e6, max: 2e7 }],
  ['1-5M', { min: 1e6, max: 5e6 }],
  ['<=500', { min: null, max: 500 }],
  ['10+', { min: 10, max: null }],
  ['120', { min: 120, max: 120 }],
  ['€2 mio', { min: 2e6, max: 2e6 }],
  ['200-50', null],
  ['many', null],
  ['', null],
])('the range %p is %p', (text, range) => {
  expect(parseRange(text)).toEqual(range);
});

test('`>` excludes the number itself', () => {
  const { min } = parseRange('>1M') ?? {};
  expect(min).toBeGreaterThan(1e6);
  expect(min).toBeLessThan(1e6 + 1);
});

test.each<[string, Partial<Lead>, Record<string, unknown>, 'fits' | 'unverified' | 'out']>([
  ['a size inside', { employees: '120' }, { company_size: '50-200' }, 'fits'],
  ['a size that overlaps', { employees: '11-50' }, { company_size: '50-200' }, 'fits'],
  ['a size outside', { employees: '10-20' }, { company_size: '50-200' }, 'out'],
  ['an unknown size', {}, { company_size: '50-200' }, 'unverified'],
  ['an unknown revenue', {}, { revenue: '>1M' }, 'unverified'],
  ['the country', inCountry('DE'), { country: 'Germany' }, 'fits'],
  ['one of several countries', inCountry('AT'), { country: ['DE', 'AT'] }, 'fits'],
  ['another country', inCountry('FR'), { country: 'DE' }, 'out'],
  ['no country', inCountry(null), { country: 'DE' }, 'unverified'],
  ['the city in another spelling', inCountry('DE', 'München'), { city: 'munchen' }, 'fits'],
  ['an e-mail', { emails: ['a@b.de'] }, { has_email: true }, 'fits'],
  ['no e-mail', {}, { has_email: true }, 'out'],
  ['no e-mail, as wanted', {}, { has_email: false }, 'fits'],
  ['no phone', {}, { has_phone: true }, 'out'],
  ['the industry', { industry: 'Dental clinic' }, { industry: ['dentist', 'dental'] }, 'fits'],
  ['another industry', { industry: 'Bakery' }, { industry: 'dentist' }, 'out'],
  ['a domain that is not wanted', {}, { exclude_domains: ['www.acme.de'] }, 'out'],
])('%s: %j under %j %s', (_name, known, filters, expected) => {
  const verdict = applyFilters(lead(known), filters);
  if (expected === 'unverified') expect(verdict).toEqual({ kind: 'fits', unverified: Object.keys(filters) });
  else if (expected === 'fits') expect(verdict).toEqual({ kind: 'fits', unverified: [] });
  else expect(verdict).toEqual({ kind: 'out', filter: Object.keys(filters)[0] });
});

const messagesOf = (filters: unknown) =>
  leadFilters.safeParse(filters).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

test('an unknown filter is an error that lists the known ones', () => {
  expect(messagesOf({ has_mail: true })).toEqual([
    expect.stringMatching(/^has_mail: unknown filter, expected one of country, .*has_email/),
  ]);
});

test.each([
  [{ company_size: 'big' }, /^company_size: expected a range such as "50-200"/],
  [{ country: 'Atlantis' }, /^country: expected a country/],
  [{ has_email: 'yes' }, /^has_email: .*boolean/],
])('the filters %j are invalid', (filters, message) => {
  expect(messagesOf(filters)).toEqual([expect.stringMatching(message)]);
});

test('filters are passed on unchanged', () => {
  const filters = { company_size: '50-200', revenue: '>1M', country: 'Germany', has_email: true };
  expect(leadFilters.parse(filters)).toEqual(filters);
});

const at = (city: string | null, country: string | null, region: string | null = null) => ({
  text: [city, region, country].filter(Boolean).join(', '),
  ...{ street: null, postal_code: null, city, region, country },
});

test.each<[string, ReturnType<typeof at>[], 'fits' | 'unverified' | 'out']>([
  ['Berlin, Germany', [at('Berlin', 'DE')], 'fits'],
  ['Berlin, Germany', [at('Berlin-Mitte', 'DE')], 'fits'],
  ['Berlin, Germany', [at('München', 'DE')], 'out'],
  ['Berlin, Germany', [at('Paris', 'FR')], 'out'],
  ['Berlin, Germany', [at('Paris', 'FR'), at('Berlin', 'DE')], 'fits'],
  ['Berlin, Germany', [at(null, 'DE')], 'unverified'],
  ['Berlin, Germany', [at('Berlin', null)], 'fits'],
  ['Berlin, Germany', [], 'unverified'],
  ['Munich', [at('München', 'DE')], 'fits'],
  ['München', [at('Munich', 'DE')], 'fits'],
  ['Bavaria', [at('Regensburg', 'DE')], 'unverified'],
  ['Bavaria', [at('Regensburg', 'DE', 'Bavaria')], 'fits'],
  ['Bavaria', [at('Wien', 'AT')], 'out'],
  ['Austin, TX', [at('Austin', 'US', 'TX')], 'fits'],
  ['Austin, TX', [at('Dallas', 'US', 'TX')], 'out'],
  ['Germany', [at('Köln', 'DE')], 'fits'],
  ['Germany', [at('Wien', 'AT')], 'out'],
  ['Germany', [at('Wien', null)], 'unverified'],
  ['Leeds, UK', [at('Leeds', 'GB')], 'fits'],
  ['Springfield', [at('Paris', 'FR')], 'unverified'],
  ['Rome', [at('Romeo', 'IT')], 'out'],
])('the place %s of a search and the addresses %j: %s', (geography, addresses, expected) => {
  const verdict = applyFilters(lead({ addresses }), undefined, geography);
  expect(verdict).toEqual(
    {
      fits: { kind: 'fits', unverified: [] },
      unverified: { kind: 'fits', unverified: ['geography'] },
      out: { kind: 'out', filter: 'geography' },
    }[expected],
  );
});
