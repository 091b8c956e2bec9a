import type { Page } from '../../../core/jobs/page.ts';
import type { Lead } from '../../../core/leads/lead.ts';

/** Results as rows of text, for the CSV and the page. */
export interface Table<Row> {
  columns: string[];
  cells(row: Row): string[];
}

export const PAGES: Table<Page> = {
  columns: ['url', 'final_url', 'status_code', 'title', 'content_type', 'fetched_at', 'error'],
  cells: (page) => [
    page.url,
    page.final_url ?? '',
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
