import type { Sql } from '../../../db/connect.ts';
import { listJobLeads } from '../../../db/leads.ts';
import { listPages } from '../../../db/pages/pages.ts';
import { CSV_TYPE, csv } from '../../http/csv.ts';
import { notFound, Problem } from '../../http/problem.ts';
import { type ApiRequest, answerHeaders, type Handler, pathParameter } from '../../http/route.ts';
import { sendStream } from '../../http/stream.ts';
import { requireNoQuery } from '../../http/validation.ts';
import { SAFE_PAGE_HEADERS } from './html.ts';
import { allLeads, allPages, findShared } from './results.ts';
import { MAX_ROWS, resultPage } from './show.ts';
import { jsonOf, LEADS, PAGES, sharedLead, sharedPage, shown } from './tables.ts';

/** `GET /share/{code}`: the results of a job, for anyone with the code. */
export const showShared =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { code, job } = await sharedJob(sql, request);
    const { pages } = await listPages(sql, job.job_id, -1, MAX_ROWS);
    const { leads } = await listJobLeads(sql, job.job_id, '0', MAX_ROWS);
    const parsed = pages.map(({ json }) => JSON.parse(json));
    const html = resultPage(
      code,
      job,
      parsed,
      leads.map(({ lead }) => lead),
    );
    response.writeHead(200, {
      ...answerHeaders(response),
      ...SAFE_PAGE_HEADERS,
      'content-length': Buffer.byteLength(html),
    });
    response.end(html);
  };

/** `GET /share/{code}/{pages|leads}.{csv|json}`. */
export const downloadShared =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { code, job } = await sharedJob(sql, request);
    const file = pathParameter(request, 'file');
    const make = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
    if (!make) throw notFound(`there is no such file; there are ${Object.keys(FILES).join(', ')}`);
    const type = file.endsWith('.csv') ? CSV_TYPE : 'application/json';
    const headers = {
      'content-type': type,
      'content-disposition': `attachment; filename="${code}-${file}"`,
      'x-robots-tag': 'noindex, nofollow',
    };
    await sendStream(response, headers, make(sql, job.job_id));
  };

const FILES: Record<string, (sql: Sql, jobId: string) => AsyncIterable<string>> = {
  'pages.csv': (sql, jobId) => csv(PAGES.columns, PAGES.cells, allPages(sql, jobId)),
  'pages.json': (sql, jobId) => jsonOf('pages', shown(allPages(sql, jobId), sharedPage)),
  'leads.csv': (sql, jobId) => csv(LEADS.columns, LEADS.cells, allLeads(sql, jobId)),
  'leads.json': (sql, jobId) => jsonOf('leads', shown(allLeads(sql, jobId), sharedLead)),
};

async function sharedJob(sql: Sql, request: ApiRequest) {
  const code = pathParameter(request, 'code');
  const shared = await findShared(sql, code);
  switch (shared.kind) {
    case 'job':
      return { code, job: shared.job };
    case 'missing':
      throw notFound('nothing is shared here');
    case 'expired':
      throw new Problem(410, 'expired', 'what was shared here is shared no longer');
    default:
      throw shared satisfies never;
  }
}
