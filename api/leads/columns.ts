import type { Lead } from '../../core/leads/lead.ts';

/** A lead as a line of a table, with the job or jobs that found it. */
export interface TableLead {
  lead: Lead;
  jobIds: readonly string[];
}

/** Networks with a column of their own; the others share one. */
const NETWORKS = ['linkedin', 'facebook', 'instagram', 'twitter', 'youtube', 'xing'] as const;

const joined = (values: readonly string[]): string => values.join('; ');

/**
 * Columns of a lead in CSV and XLSX, always all of them and in this order, so that sheets of two jobs fit under each other. The parts
 * of the surest address have columns of their own; all addresses are in one.
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
