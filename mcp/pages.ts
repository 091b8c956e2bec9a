import { z } from 'zod';
import type { Page } from '../core/jobs/page.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-client.ts';
import { partOf } from './parts.ts';
import { oneLine, quoteUntrusted, UNTRUSTED } from './untrusted.ts';

/** Formats of a page that can be read as text. */
export const READABLE = [
  ...(['markdown', 'text', 'html', 'raw_html', 'links', 'metadata', 'contacts', 'extracted'] as const),
] as const;
export type Readable = (typeof READABLE)[number];

/** About 5,000 tokens. */
const DEFAULT_CHARACTERS = 20_000;
export const MOST_CHARACTERS = 60_000;

export const limitOfCharacters = z
  .int()
  .min(500)
  .max(MOST_CHARACTERS)
  .default(DEFAULT_CHARACTERS)
  .describe('Characters of the page in this answer; the rest can be read with read_page');

export const errorShape = z.object({ code: z.string(), message: z.string() }).nullable();

/** A page in lists: what it is, and the number that read_page takes. */
export const pageLine = z.object({
  page: z.int().describe('Number of the page in its job, for read_page'),
  url: z.string(),
  title: z.string().nullable(),
  error: errorShape,
});
export type PageLine = z.infer<typeof pageLine>;

/** A part of a page's text. */
export const pagePart = z.object({
  page: z.int(),
  url: z.string().nullable().describe('After redirects'),
  status_code: z.int().nullable(),
  title: z.string().nullable(),
  error: errorShape,
  format: z.enum(READABLE),
  trust: z.literal(UNTRUSTED),
  content: z.string(),
  offset: z.int(),
  total_characters: z.int(),
  next_offset: z.int().nullable().describe('The offset of the next part, null at the end'),
});
export type PagePart = z.infer<typeof pagePart>;

type Row = Page & { position: number };

const LINE_FIELDS = 'position,url,title,error';

/** @param after number of a page; the list begins behind it */
export async function listPageLines(
  api: ApiClient,
  jobId: string,
  after: number,
  limit: number,
): Promise<{ pages: PageLine[]; next: number | null }> {
  const query = { fields: LINE_FIELDS, limit, ...(after > 0 ? { cursor: after - 1 } : {}) };
  const { pages, next_cursor } = await api.get<{ pages: Row[]; next_cursor: string | null }>(
    `/jobs/${jobId}/pages`,
    query,
  );
  const lines = pages.map(({ position, url, title, error }) => ({
    page: position + 1,
    url,
    title: title && oneLine(title, 200),
    error: error && { code: error.code, message: oneLine(error.message) },
  }));
  return { pages: lines, next: next_cursor === null ? null : (lines.at(-1)?.page ?? null) };
}

/** @throws ApiError if there is no such page, or it has not this format */
export async function readPart(
  api: ApiClient,
  jobId: string,
  page: number,
  { format, offset, limit }: { format: Readable; offset: number; limit: number },
): Promise<PagePart> {
  const { pages } = await api.get<{ pages: Row[] }>(`/jobs/${jobId}/pages`, {
    fields: `position,url,final_url,status_code,title,error,${format}`,
    limit: 1,
    ...(page > 1 ? { cursor: page - 2 } : {}),
  });
  const [row] = pages;
  if (row?.position !== page - 1) {
    throw new ApiError({
      code: 'no_such_page',
      message: `job ${jobId} has no page ${page} (yet): check_job lists its pages`,
    });
  }
  const value = row[format];
  if (value === undefined && row.error === null) {
    throw new ApiError({
      code: 'no_such_format',
      message: `page ${page} was stored without ${format}: read another format, or scrape it again`,
    });
  }
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value, null, 1);
  const part = partOf(text, offset, limit);
  return {
    page,
    url: row.final_url ?? row.url,
    status_code: row.status_code,
    title: row.title && oneLine(row.title, 200),
    error: row.error && { code: row.error.code, message: oneLine(row.error.message) },
    format,
    trust: UNTRUSTED,
    content: part.text,
    offset: part.offset,
    total_characters: part.total,
    next_offset: part.next,
  };
}

/** A part for the agent to read, with what was cut and how to get it. */
export function partText(jobId: string, part: PagePart): string {
  const { page, url, status_code, error, format, content, offset, total_characters, next_offset } = part;
  const end = offset + content.length;
  const head = [
    `Page ${page} of job ${jobId}: ${url ?? 'no answer'}${status_code === null ? '' : `, HTTP ${status_code}`}`,
    ...(error ? [`The page has an error: ${error.code}: ${error.message}`] : []),
    ...(next_offset === null
      ? [`${format}, characters ${offset} to ${end}, the end.`]
      : [
          `${format}, characters ${offset} to ${end} of ${total_characters}. Cut here; next: read_page with job_id ${jobId}, page ${page}, offset ${next_offset}.`,
        ]),
  ];
  return [...head, quoteUntrusted(url ?? 'the web', content)].join('\n');
}

export function linesText(jobId: string, lines: PageLine[], next: number | null): string {
  if (lines.length === 0) return 'No pages are stored yet.';
  const list = lines.map(
    ({ page, url, title, error }) =>
      `${page}. ${url}${title ? ` (${title})` : ''}${error ? ` [${error.code}]` : ''}`,
  );
  const more = next === null ? [] : [`More: check_job with job_id ${jobId} and pages_after ${next}.`];
  const how = `Read one with read_page (job_id ${jobId}, page).`;
  return [how, quoteUntrusted(`the pages of job ${jobId}`, list.join('\n')), ...more].join('\n');
}
