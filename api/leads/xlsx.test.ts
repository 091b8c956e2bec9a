import { strFromU8, unzipSync } from 'fflate';
import type { Lead } from '../../core/leads/lead.ts';
import { COLUMN_NAMES, cellsOf, type TableLead } from './columns.ts';
import { xlsx } from './xlsx.ts';

const LEAD: Lead = {
  company: 'Acme & Söhne',
  website: 'https://acme.de/?a=1&b="2"',
  domain: 'acme.de',
  emails: ['info@acme.de', 'eva@acme.de'],
  phones: ['+493023125100', '+493023125101'],
  faxes: [],
  addresses: [],
  socials: { linkedin: 'https://www.linkedin.com/company/acme' },
  industry: null,
  description: '=cmd|calc',
  employees: null,
  logo: null,
  legal_name: 'Acme GmbH',
  legal_form: 'GmbH',
  people: [{ name: 'Eva Stein', role: 'CEO', email: 'eva@acme.de', phone: null }],
  registrations: [{ kind: 'vat', number: 'DE136695976', country: 'DE', authority: null }],
  opening_hours: ['Mo-Fr 09:00-18:00'],
  language: 'de',
  email_kinds: { 'info@acme.de': 'role', 'eva@acme.de': 'person' },
  phone_kinds: { '+493023125100': 'fixed', '+493023125101': 'fixed' },
  sources: ['website'],
  evidence: [
    {
      ...{ field: 'email', value: 'info@acme.de', url: 'https://acme.de/impressum', method: 'mailto' },
      ...{ snippet: 'Mail', confidence: 0.95, found_at: '2026-01-02T03:04:05.000Z' },
    },
    {
      ...{ field: 'email', value: 'eva@acme.de', url: 'https://acme.de/team', method: 'text' },
      ...{ snippet: 'Eva', confidence: 0.85 },
    },
  ],
  unverified_filters: [],
};

async function workbook(leads: TableLead[]): Promise<Record<string, string>> {
  const chunks: Uint8Array[] = [];
  const each = async function* () {
    yield* leads;
  };
  for await (const chunk of xlsx(each)) chunks.push(chunk);
  const files = unzipSync(new Uint8Array(Buffer.concat(chunks)));
  return Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, strFromU8(bytes)]));
}

const textsOf = (sheet = '') =>
  [...sheet.matchAll(/<t [^>]*>([^<]*)<|<v>([^<]*)</g)].map(([, text, value]) => text ?? value);

test('a workbook has a filter, links, one value per cell and every value in its second sheet', async () => {
  const files = await workbook([{ lead: LEAD, jobIds: ['1'] }]);
  const [leads = '', values = ''] = [files['xl/worksheets/sheet1.xml'], files['xl/worksheets/sheet2.xml']];
  expect(leads).toMatch(/<autoFilter ref="A1:[A-Z]{2}2"\/>/);
  expect(values).toContain('<autoFilter ref="A1:J3"/>');
  expect(textsOf(leads)).toEqual(
    expect.arrayContaining(['info@acme.de', '+493023125100', '0.95', 'Eva Stein (CEO)']),
  );
  expect(textsOf(leads)).not.toContain('+493023125101');
  expect(textsOf(values).slice(10)).toEqual([
    ...['acme.de', 'Acme &amp; Söhne', 'email', 'info@acme.de', 'role', '0.95'],
    ...['https://acme.de/impressum', 'mailto', '2026-01-02T03:04:05.000Z', 'Mail'],
    ...['acme.de', 'Acme &amp; Söhne', 'email', 'eva@acme.de', 'person', '0.85'],
    ...['https://acme.de/team', 'text', 'Eva'],
  ]);
  expect(leads).not.toContain('<f>');
  const links = files['xl/worksheets/_rels/sheet1.xml.rels'] ?? '';
  expect([...links.matchAll(/Target="([^"]*)"/g)].map(([, target]) => target)).toEqual([
    'https://acme.de/?a=1&amp;b=%222%22',
    'mailto:info@acme.de',
    'https://www.linkedin.com/company/acme',
  ]);
  expect([...leads.matchAll(/<hyperlink ref="([A-Z]+2)" r:id="rId\d"/g)]).toHaveLength(3);
});

test('a workbook without leads has its headings', async () => {
  const files = await workbook([]);
  expect(textsOf(files['xl/worksheets/sheet1.xml'])).toEqual(COLUMN_NAMES);
  expect(files['xl/worksheets/_rels/sheet1.xml.rels']).toBeUndefined();
});

test('a lead of before has empty cells for what was not known then', () => {
  const { legal_name, people, registrations, opening_hours, email_kinds, phone_kinds, ...old } = LEAD;
  expect([legal_name, people, registrations, opening_hours, email_kinds, phone_kinds]).toHaveLength(6);
  const cells = cellsOf({ lead: old as unknown as Lead, jobIds: [] });
  expect(cells[COLUMN_NAMES.indexOf('people')]).toBe('');
  expect(cells.every((cell) => typeof cell === 'string')).toBe(true);
});

test('text that looks like an escape is escaped in cells, and not in the targets of links', async () => {
  const website = 'https://acme.de/_x0041_/?a=1&b=2';
  const files = await workbook([{ lead: { ...LEAD, website, company: '_x0041_\u0001\ud800' }, jobIds: [] }]);
  const texts = textsOf(files['xl/worksheets/sheet1.xml']);
  expect(texts).toContain('_x005F_x0041_\ufffd');
  expect(texts).toContain('https://acme.de/_x005F_x0041_/?a=1&amp;b=2');
  expect(files['xl/worksheets/_rels/sheet1.xml.rels']).toContain(
    'Target="https://acme.de/_x0041_/?a=1&amp;b=2"',
  );
});
