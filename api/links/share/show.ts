import { escapeHtml } from '../../../core/escape-html.ts';
import type { Job } from '../../../core/jobs/job.ts';
import type { Page } from '../../../core/jobs/page.ts';
import type { Lead } from '../../../core/leads/lead.ts';
import { page } from './html.ts';
import { LEADS, PAGES, type Table } from './tables.ts';

/** Rows per table on the page; the downloads hold all. */
export const MAX_ROWS = 200;

/**
 * A job's results as HTML. Readers have no key, so owner, request and error details are left out.
 */
export function resultPage(code: string, job: Job, pages: Page[], leads: Lead[]): string {
  const { counts, status, finished_at } = job;
  const when = finished_at
    ? ` ${new Date(finished_at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    : '';
  return page(
    'Results',
    [
      `<h1>Results</h1><p>${escapeHtml(status)}${when} · ${some(counts.pages, 'page')} · ${some(counts.leads, 'lead')}</p>`,
      counts.leads > 0 ? section(code, 'leads', LEADS, leads, counts.leads) : '',
      section(code, 'pages', PAGES, pages, counts.pages),
    ].join(''),
  );
}

function section<Row>(code: string, name: string, table: Table<Row>, rows: Row[], count: number): string {
  const file = (kind: string) => `<a href="${code}/${name}.${kind}" download>${kind.toUpperCase()}</a>`;
  const more = count > rows.length ? `<p>The first ${rows.length} of ${count}; the files hold all.</p>` : '';
  const head = table.columns.map((column) => `<th>${escapeHtml(column.replaceAll('_', ' '))}</th>`).join('');
  const body = rows.map((row) => `<tr>${table.cells(row).map(cell).join('')}</tr>`).join('');
  return (
    `<h2>${name}</h2><nav>${file('csv')}${file('json')}</nav>` +
    `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>${more}`
  );
}

const MAX_CELL = 500;

function cell(text: string): string {
  const short = escapeHtml(text.length > MAX_CELL ? `${text.slice(0, MAX_CELL)}…` : text);
  // Only http(s) becomes a link: a page's URL may be `javascript:`.
  return /^https?:\/\//i.test(text)
    ? `<td><a href="${escapeHtml(text)}" rel="noopener noreferrer nofollow">${short}</a></td>`
    : `<td>${short}</td>`;
}

const some = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
