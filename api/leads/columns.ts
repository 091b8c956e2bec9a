import type { Lead, Registration } from '../../core/leads/lead.ts';

/** A lead as a table row, with the jobs that found it. */
export interface TableLead {
  lead: Lead;
  jobIds: readonly string[];
}

/** Networks with their own column; the others share one. */
const NETWORKS = ['linkedin', 'facebook', 'instagram', 'twitter', 'youtube', 'xing'] as const;

/** How a list becomes a cell: all values, or the most certain one. */
export type ListCell = 'joined' | 'first';
type Join = (values: readonly string[]) => string;
const JOINS: Record<ListCell, Join> = {
  joined: (values) => values.join('; '),
  first: ([value]) => value ?? '',
};
const joined = JOINS.joined;

/**
 * Columns of a lead in CSV and XLSX: always all, in this order, so that exports of two jobs can be
 * concatenated. The address with the highest confidence has a column per part; one more column
 * holds all addresses.
 */
const COLUMNS: Record<string, (entry: TableLead, join: Join) => string> = {
  company: ({ lead }) => lead.company ?? '',
  website: ({ lead }) => lead.website ?? '',
  domain: ({ lead }) => lead.domain ?? '',
  emails: ({ lead }, join) => join(lead.emails),
  phones: ({ lead }, join) => join(lead.phones),
  faxes: ({ lead }, join) => join(lead.faxes),
  street: ({ lead }) => lead.addresses[0]?.street ?? '',
  postal_code: ({ lead }) => lead.addresses[0]?.postal_code ?? '',
  city: ({ lead }) => lead.addresses[0]?.city ?? '',
  region: ({ lead }) => lead.addresses[0]?.region ?? '',
  country: ({ lead }) => lead.addresses[0]?.country ?? '',
  addresses: ({ lead }, join) => join(lead.addresses.map(({ text }) => oneLine(text))),
  industry: ({ lead }) => lead.industry ?? '',
  employees: ({ lead }) => lead.employees ?? '',
  description: ({ lead }) => oneLine(lead.description ?? ''),
  ...Object.fromEntries(
    NETWORKS.map((network) => [network, ({ lead }: TableLead) => lead.socials[network] ?? '']),
  ),
  other_socials: ({ lead }) =>
    joined(
      Object.entries(lead.socials)
        .filter(([network]) => !(NETWORKS as readonly string[]).includes(network))
        .map(([, url]) => url),
    ),
  logo: ({ lead }) => lead.logo ?? '',
  sources: ({ lead }) => joined(lead.sources),
  unverified_filters: ({ lead }) => joined(lead.unverified_filters),
  evidence_urls: ({ lead }) => joined([...new Set(lead.evidence.map(({ url }) => url))].slice(0, 10)),
  job_ids: ({ jobIds }) => joined(jobIds),
  legal_name: ({ lead }) => lead.legal_name ?? '',
  legal_form: ({ lead }) => lead.legal_form ?? '',
  people: ({ lead }, join) =>
    join((lead.people ?? []).map(({ name, role }) => oneLine(role ? `${name} (${role})` : name))),
  vat_ids: ({ lead }, join) => join(numbersOf(lead, 'vat')),
  register_numbers: ({ lead }, join) => join(numbersOf(lead, 'register')),
  opening_hours: ({ lead }) => joined(lead.opening_hours ?? []),
  language: ({ lead }) => lead.language ?? '',
  email_kind: ({ lead }) => lead.email_kinds?.[lead.emails[0] ?? ''] ?? '',
  phone_kind: ({ lead }) => lead.phone_kinds?.[lead.phones[0] ?? ''] ?? '',
  company_confidence: ({ lead }) => confidence(lead, 'company', lead.company),
  email_confidence: ({ lead }) => confidence(lead, 'email', lead.emails[0]),
  phone_confidence: ({ lead }) => confidence(lead, 'phone', lead.phones[0]),
  address_confidence: ({ lead }) => confidence(lead, 'address', lead.addresses[0]?.text),
};

const numbersOf = ({ registrations }: Lead, wanted: Registration['kind']): string[] =>
  // Leads of before have none.
  (registrations ?? []).filter(({ kind }) => kind === wanted).map(({ number }) => number);

/** Of the first value's best evidence, 0 to 1. */
const confidence = ({ evidence }: Lead, field: string, value: string | null | undefined): string => {
  const known = evidence.filter((one) => one.field === field && one.value === value);
  return known.length === 0 ? '' : String(Math.max(...known.map((one) => one.confidence)));
};

export const COLUMN_NAMES: readonly string[] = Object.keys(COLUMNS);

export const cellsOf = (entry: TableLead, list: ListCell = 'joined'): string[] =>
  Object.values(COLUMNS).map((cell) => cell(entry, JOINS[list]));

/** Columns of the workbook's second sheet: a row per value of a lead, with where it was found. */
export const VALUE_COLUMNS = [
  ...['domain', 'company', 'field', 'value', 'kind', 'confidence', 'url', 'method', 'found_at', 'snippet'],
] as const;

/** Every piece of evidence of a lead as a row. */
export const valueRows = ({ lead }: TableLead): string[][] =>
  lead.evidence.map(({ field, value, url, method, snippet, confidence: sure, found_at }) => [
    ...[lead.domain ?? '', lead.company ?? '', field, oneLine(value), kindOf(lead, field, value)],
    ...[String(sure), url, method, found_at ?? '', oneLine(snippet)],
  ]);

function kindOf(lead: Lead, field: string, value: string): string {
  if (field === 'email') return lead.email_kinds?.[value] ?? '';
  if (field === 'phone') return lead.phone_kinds?.[value] ?? '';
  if (field === 'person') return lead.people?.find(({ name }) => name === value)?.role ?? '';
  if (field === 'registration') return lead.registrations?.find(({ number }) => number === value)?.kind ?? '';
  return '';
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
