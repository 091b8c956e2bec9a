import type { Page } from '../../../core/jobs/page.ts';
import type { Lead } from '../../../core/leads/lead.ts';
import { withoutLogin } from '../../../core/url-login.ts';

/**
 * What anyone with the code may read of a page: these fields and no others. Left out are the paths
 * of pictures, which need a key, and an error's message.
 */
export const sharedPage = (
  page: Page,
): Omit<Partial<Page>, 'error'> & { error: { code: string } | null } => ({
  url: withoutLogin(page.url),
  final_url: page.final_url && withoutLogin(page.final_url),
  status_code: page.status_code,
  content_type: page.content_type,
  title: page.title,
  ...pick(page, CONTENT),
  engine: page.engine,
  fetched_at: page.fetched_at,
  duration_ms: page.duration_ms,
  error: page.error && { code: page.error.code },
});

const CONTENT = [
  'markdown',
  'html',
  'raw_html',
  'text',
  'links',
  'metadata',
  'extracted',
  'contacts',
] as const;

export const sharedLead = (lead: Lead): Partial<Lead> => pick(lead, LEAD_FIELDS);

const LEAD_FIELDS = [
  ...(['company', 'website', 'domain', 'emails', 'phones', 'faxes', 'addresses', 'socials'] as const),
  ...(['industry', 'description', 'employees', 'logo', 'sources', 'evidence', 'unverified_filters'] as const),
] as const;

function pick<Row extends object, Name extends keyof Row>(row: Row, names: readonly Name[]): Pick<Row, Name> {
  return Object.fromEntries(
    names.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]]])),
  ) as Pick<Row, Name>;
}

/** Results as rows of text, for the CSV and the page. */
export interface Table<Row> {
  columns: string[];
  cells(row: Row): string[];
}

export const PAGES: Table<Page> = {
  columns: ['url', 'final_url', 'status_code', 'title', 'content_type', 'fetched_at', 'error'],
  cells: (page) => [
    withoutLogin(page.url),
    withoutLogin(page.final_url ?? ''),
    String(page.status_code ?? ''),
    page.title ?? '',
    page.content_type ?? '',
    page.fetched_at,
    page.error?.code ?? '',
  ],
};

export const LEADS: Table<Lead> = {
  columns: ['company', 'website', 'emails', 'phones', 'addresses', 'industry', 'employees', 'description'],
  cells: (lead) => [
    lead.company ?? '',
    lead.website ?? '',
    lead.emails.join('; '),
    lead.phones.join('; '),
    lead.addresses.map(({ text }) => text).join('; '),
    lead.industry ?? '',
    lead.employees ?? '',
    lead.description ?? '',
  ],
};

export async function* jsonOf<Row>(name: string, rows: AsyncIterable<Row>): AsyncGenerator<string> {
  yield `{"${name}":[`;
  let separator = '\n';
  for await (const row of rows) {
    yield `${separator}${JSON.stringify(row)}`;
    separator = ',\n';
  }
  yield '\n]}\n';
}

/** Rows with the fields that are public. */
export async function* shown<Row, Public>(
  rows: AsyncIterable<Row>,
  publicOf: (row: Row) => Public,
): AsyncGenerator<Public> {
  for await (const row of rows) yield publicOf(row);
}
