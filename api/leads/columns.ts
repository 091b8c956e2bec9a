import type { Lead } from '../../core/leads/lead.ts';

/** A lead as a table row, with the jobs that found it. */
export interface TableLead {
  lead: Lead;
  jobIds: readonly string[];
}

/** Networks with their own column; the others share one. */
const NETWORKS = ['linkedin', 'facebook', 'instagram', 'twitter', 'youtube', 'xing'] as const;

const joined = (values: readonly string[]): string => values.join('; ');

/**
 * Columns of a lead in CSV and XLSX: always all, in this order, so that exports of two jobs can be
 * concatenated. The address with the highest confidence has a column per part; one more column
 * holds all addresses.
 */
const COLUMNS: Record<string, (entry: TableLead) => string> = {
  company: ({ lead }) => lead.company ?? '',
  website: ({ lead }) => lead.website ?? '',
  domain: ({ lead }) => lead.domain ?? '',
  emails: ({ lead }) => joined(lead.emails),
  phones: ({ lead }) => joined(lead.phones),
  faxes: ({ lead }) => joined(lead.faxes),
  street: ({ lead }) => lead.addresses[0]?.street ?? '',
  postal_code: ({ lead }) => lead.addresses[0]?.postal_code ?? '',
  city: ({ lead }) => lead.addresses[0]?.city ?? '',
  region: ({ lead }) => lead.addresses[0]?.region ?? '',
  country: ({ lead }) => lead.addresses[0]?.country ?? '',
  addresses: ({ lead }) => joined(lead.addresses.map(({ text }) => oneLine(text))),
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
};

export const COLUMN_NAMES: readonly string[] = Object.keys(COLUMNS);

export const cellsOf = (entry: TableLead): string[] => Object.values(COLUMNS).map((cell) => cell(entry));

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
