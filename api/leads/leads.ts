import { isFinal } from '../../core/jobs/job-status.ts';
import { type LeadFilter, listJobLeadsQuery, listLeadsQuery } from '../../core/leads/lead-schemas.ts';
import type { Sql } from '../../db/connect.ts';
import {
  findLastLeadId,
  type KnownLead,
  type LeadsQuery,
  listJobLeads,
  listKnownLeads,
} from '../../db/leads.ts';
import { CSV_TYPE, csv } from '../http/csv.ts';
import {
  decodeKnownLeadCursor,
  decodeLeadCursor,
  encodeKnownLeadCursor,
  encodeLeadCursor,
} from '../http/cursor.ts';
import { type ApiRequest, type ApiResponse, type Handler, sendJson } from '../http/route.ts';
import { NDJSON, sendStream } from '../http/stream.ts';
import { readQuery } from '../http/validation.ts';
import { ownJob } from '../jobs/own-job.ts';
import { COLUMN_NAMES, cellsOf, type TableLead } from './columns.ts';
import { XLSX_TYPE, xlsx } from './xlsx.ts';

const DEFAULT_LIMIT = 100;
const READ_AT_ONCE = 500;

/**
 * `GET /jobs/{id}/leads`, in order of discovery: one page as JSON, or all streamed in the other
 * formats.
 */
export const showJobLeads =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor, format, excel, follow } = readQuery(request, listJobLeadsQuery);
    const after = decodeLeadCursor(cursor) ?? FIRST;
    const { job_id: jobId, status } = await ownJob(sql, request, response);
    const chosen = format ?? (follow ? 'json' : accepted(request));
    if (chosen === 'json') {
      const { leads, next } = await listJobLeads(sql, jobId, after, limit ?? DEFAULT_LIMIT);
      // The job was read before its leads: those of an ended job are complete.
      const last = next ?? (follow && !isFinal(status) ? (leads.at(-1)?.id ?? after) : null);
      sendJson(response, 200, {
        leads: leads.map(({ lead }) => lead),
        next_cursor: last && encodeLeadCursor(last),
      });
      return;
    }
    const all = () => allOf(after, limit, (cursor, count) => listJobLeads(sql, jobId, cursor, count));
    const entries = () => mapped(all(), ({ lead }) => ({ json: lead, table: { lead, jobIds: [jobId] } }));
    await sendAs(response, chosen, entries, { name: `leads-${jobId}`, excel });
  };

/**
 * `GET /leads`: the leads of all the caller's jobs, newest first, each once in its latest version.
 */
export const listLeads =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor, format, excel, ...search } = readQuery(request, listLeadsQuery);
    const { userId } = response.locals.caller;
    const position = decodeKnownLeadCursor(cursor);
    const before = position?.before ?? NEWEST;
    const upTo = position?.upTo ?? (await findLastLeadId(sql, userId));
    const query: LeadsQuery = { userId, ...filterOf(search) };
    const chosen = format ?? accepted(request);
    if (chosen === 'json') {
      const { leads, next } = await listKnownLeads(sql, query, { before, upTo }, limit ?? DEFAULT_LIMIT);
      sendJson(response, 200, {
        leads: leads.map(toResponse),
        next_cursor: next && encodeKnownLeadCursor({ before: next, upTo }),
      });
      return;
    }
    const all = () =>
      allOf(before, limit, (at, count) => listKnownLeads(sql, query, { before: at, upTo }, count));
    const entries = () => mapped(all(), (known) => ({ json: toResponse(known), table: known }));
    await sendAs(response, chosen, entries, { name: 'leads', excel });
  };

/** The filters of `GET /leads` as they are looked up. */
export const filterOf = (search: LeadFilter): Omit<LeadsQuery, 'userId'> => ({
  q: search.q,
  domain: search.domain?.toLowerCase().replace(/^www\./, ''),
  country: search.country,
  source: search.source,
  hasEmail: search.has_email,
  hasPhone: search.has_phone,
});

/** Cursors before the first and after the last possible id. */
const FIRST = '0';
const NEWEST = '9223372036854775807';

const toResponse = ({ id, lead, jobIds, foundAt }: KnownLead) => ({
  lead_id: id,
  ...lead,
  job_ids: jobIds,
  found_at: foundAt,
});

const TYPES = {
  json: 'application/json',
  ndjson: NDJSON,
  csv: 'text/csv',
  xlsx: XLSX_TYPE,
} as const;
type LeadFormat = keyof typeof TYPES;
const FORMAT_NAMES = Object.keys(TYPES) as LeadFormat[];

function accepted(request: ApiRequest): LeadFormat {
  if (request.headers.accept === undefined) return 'json';
  const type = request.accepts(Object.values(TYPES));
  return FORMAT_NAMES.find((name) => TYPES[name] === type) ?? 'json';
}

interface Entry {
  json: unknown;
  table: TableLead;
}

async function sendAs(
  response: ApiResponse,
  format: Exclude<LeadFormat, 'json'>,
  /** Starts at the first each time: a workbook reads them once per sheet. */
  entries: () => AsyncIterable<Entry>,
  { name, excel }: { name: string; excel: boolean | undefined },
): Promise<void> {
  const table = () => mapped(entries(), (entry) => entry.table);
  const download = { 'content-disposition': `attachment; filename="${name}.${format}"` };
  switch (format) {
    case 'ndjson':
      return sendStream(
        response,
        { 'content-type': TYPES.ndjson },
        mapped(entries(), (entry) => `${JSON.stringify(entry.json)}\n`),
      );
    case 'csv':
      return sendStream(
        response,
        { 'content-type': CSV_TYPE, ...download },
        csv(COLUMN_NAMES, (lead) => cellsOf(lead), table(), excel === undefined ? {} : { excel }),
      );
    case 'xlsx':
      return sendStream(response, { 'content-type': XLSX_TYPE, ...download }, xlsx(table));
    default:
      return format satisfies never;
  }
}

async function* allOf<T>(
  start: string,
  limit: number | undefined,
  read: (cursor: string, count: number) => Promise<{ leads: T[]; next: string | null }>,
): AsyncGenerator<T> {
  let cursor: string | null = start;
  let left = limit ?? Number.POSITIVE_INFINITY;
  while (cursor !== null && left > 0) {
    const part: { leads: T[]; next: string | null } = await read(cursor, Math.min(left, READ_AT_ONCE));
    yield* part.leads;
    left -= part.leads.length;
    cursor = part.next;
  }
}

async function* mapped<T, U>(items: AsyncIterable<T>, map: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield map(item);
}
