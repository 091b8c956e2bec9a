import { z } from 'zod';
import {
  cancelJobsRequest,
  getJobQuery,
  listJobsQuery,
  listPagesQuery,
  listUrlsQuery,
  scrapePageQuery,
  submitQuery,
} from '../../core/jobs/job-queries.ts';
import { mapRequest, pageRequest, scrapeRequest } from '../../core/jobs/job-schemas.ts';
import { JOB_STATUSES, OUTCOME_KINDS } from '../../core/jobs/job-status.ts';
import { NDJSON } from '../http/stream.ts';
import { facts, postalAddress } from './leads.ts';
import { anything, count, errorInfo, listOf, type Operations, ok, time, uuid } from './operation.ts';

const status = z.enum(JOB_STATUSES).meta({ id: 'JobStatus' });
const links = z.record(z.string(), z.string());

const accepted = z
  .object({ job_id: uuid, status, created_at: time, links })
  .meta({ id: 'AcceptedJob', description: 'A job that was stored' });

const attempt = z.object({
  attempt: count,
  worker: z.string().nullable(),
  started_at: time,
  finished_at: time.nullable(),
  outcome: z.enum(OUTCOME_KINDS).nullable(),
  error: errorInfo.nullable(),
});

const spec = anything.meta({ description: 'The request, without its secrets' });

const job = z
  .object({
    job_id: uuid,
    user_id: uuid,
    status,
    waiting_for: z
      .object({ code: z.enum(['run_at', 'retry', 'running_jobs', 'slot']), message: z.string() })
      .nullable(),
    attempt: count,
    max_attempts: count,
    priority: count,
    spec,
    progress: z.object({ done: count, total: count, message: z.string().nullable() }),
    counts: z.object({ pages: count, leads: count, errors: count }),
    error: errorInfo.nullable(),
    attempts: z.array(attempt),
    created_at: time,
    run_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
  })
  .meta({ id: 'Job' });

const contacts = z
  .object({
    company: z.string().nullable(),
    emails: z.array(z.string()),
    phones: z.array(z.string()),
    faxes: z.array(z.string()),
    addresses: z.array(postalAddress),
    socials: z.record(z.string(), z.string()),
    ...facts,
  })
  .meta({ id: 'Contacts' });

const page = z
  .object({
    url: z.string(),
    final_url: z.string().nullable(),
    status_code: count.nullable(),
    content_type: z.string().nullable(),
    title: z.string().nullable(),
    markdown: z.string().optional(),
    html: z.string().optional(),
    raw_html: z.string().optional(),
    text: z.string().optional(),
    links: z
      .array(z.object({ url: z.string(), text: z.string(), kind: z.enum(['internal', 'external', 'file']) }))
      .optional(),
    metadata: anything.optional(),
    extracted: anything.optional(),
    contacts: contacts.optional(),
    screenshot: z.string().optional(),
    pdf: z.string().optional(),
    action_screenshots: z.array(z.string()).optional(),
    engine: z.enum(['http', 'browser']),
    fetched_at: time,
    duration_ms: z.number(),
    error: errorInfo.nullable(),
    warnings: z.array(errorInfo).optional(),
  })
  .meta({ id: 'Page', description: 'Formats that were not asked for are absent' });

/** With `fields`, only those. */
const listedPage = z
  .object({ ...page.shape, position: count })
  .partial()
  .meta({ id: 'ListedPage' });

const result = z
  .object({ job_id: uuid, status, created_at: time, links, page: page.optional() })
  .meta({ id: 'JobResult', description: 'A job that has ended, with its page if it has one page' });

const siteUrl = z.object({ url: z.string(), title: z.string().optional() });
const siteMap = z.object({
  job_id: uuid,
  urls: z.array(siteUrl),
  total: count,
  incomplete: z.boolean(),
  message: z.string().nullable(),
});

const acceptedAnswer = { says: 'The job was stored', json: accepted };
const waits = {
  502: ['any code of a page or job'],
  503: ['site_unavailable', 'site_asked_to_wait'],
  504: ['page_timeout', 'attempt_timeout'],
};
const submit = {
  summary: 'Submit a job',
  description: 'With `wait`, the answer comes when the job has ended, at most after that many seconds.',
  query: submitQuery,
  body: scrapeRequest,
  isIdempotent: true,
  answers: { 200: { says: 'The job has ended', json: result }, 202: acceptedAnswer },
  errors: { 409: ['job_cancelled'], 429: ['limit_reached'], ...waits },
};

export const jobOperations: Operations = {
  'POST /api/v1/scrape': {
    summary: 'Scrape one page in one call',
    description: 'A job of one page and of the highest priority. It is cancelled if the client goes away.',
    query: scrapePageQuery,
    body: pageRequest,
    isIdempotent: true,
    answers: {
      200: {
        says: 'The page',
        json: result,
        example: {
          job_id: '0198c0de-0000-7000-8000-000000000000',
          status: 'completed',
          created_at: '2026-01-31T12:00:00.000Z',
          links: { self: '/api/v1/jobs/0198c0de-0000-7000-8000-000000000000' },
          page: {
            url: 'https://example.com/',
            final_url: 'https://example.com/',
            status_code: 200,
            content_type: 'text/html',
            title: 'Example Domain',
            markdown: '# Example Domain',
            engine: 'http',
            fetched_at: '2026-01-31T12:00:00.100Z',
            duration_ms: 90,
            error: null,
          },
        },
      },
      202: { says: 'It takes longer than `wait`; the job goes on', json: accepted },
    },
    errors: { 409: ['job_cancelled'], 429: ['limit_reached'], ...waits },
  },
  'POST /api/v1/jobs/scrape': submit,
  'POST /jobs/scrape': { ...submit, summary: 'Submit a job, at its older path' },
  'POST /api/v1/jobs/batch': {
    summary: 'Submit up to 1,000 jobs, all or none',
    body: z.strictObject({ jobs: z.array(scrapeRequest).min(1).max(1000) }),
    isIdempotent: true,
    answers: {
      202: {
        says: 'The jobs were stored',
        json: z.object({ jobs: z.array(z.object({ job_id: uuid, status })) }),
      },
    },
  },
  'POST /api/v1/jobs/map': {
    summary: 'List the addresses of a site',
    body: mapRequest,
    isIdempotent: true,
    answers: { 200: { says: 'The addresses', json: siteMap }, 202: acceptedAnswer },
    errors: { 429: ['limit_reached'], 502: ['map_failed'] },
  },
  'GET /api/v1/jobs': {
    summary: 'List jobs, newest first',
    description: 'Parameters `metadata.<name>=<value>` select by the metadata of jobs.',
    query: listJobsQuery,
    answers: ok('Jobs, with the `fields` asked for', listOf('jobs', job.partial())),
  },
  'POST /api/v1/jobs/cancel': {
    summary: 'Cancel all jobs that match and have not ended',
    description: 'Filters are given as body or as query.',
    body: cancelJobsRequest,
    isBodyOptional: true,
    answers: ok('How many, and the first 10,000 ids', z.object({ cancelled: count, job_ids: z.array(uuid) })),
  },
  'GET /api/v1/jobs/:id': {
    summary: 'Show a job',
    query: getJobQuery,
    answers: { ...ok('The job', job), 304: { says: 'It is as `If-None-Match` says' } },
  },
  'POST /api/v1/jobs/:id/cancel': {
    summary: 'Cancel a job',
    answers: ok('The job', job),
    errors: { 409: ['job_state_conflict'] },
  },
  'POST /api/v1/jobs/:id/retry': {
    summary: 'Run a failed or cancelled job again',
    answers: ok('The job', job),
    errors: { 409: ['job_state_conflict'] },
  },
  'GET /api/v1/jobs/:id/pages': {
    summary: 'List the pages of a job',
    query: listPagesQuery,
    answers: { 200: { says: 'Pages', json: listOf('pages', listedPage), types: [NDJSON] } },
  },
  'GET /api/v1/jobs/:id/urls': {
    summary: 'List the addresses that a crawl or map knows',
    query: listUrlsQuery,
    answers: ok('Addresses', listOf('urls', siteUrl)),
  },
  'GET /api/v1/jobs/:id/artifacts/:position/:name': {
    summary: 'Download a screenshot or PDF',
    answers: { 200: { says: 'The file', types: ['*/*'] } },
    errors: { 503: ['artifacts_unavailable'] },
  },
};
