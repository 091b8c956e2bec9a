import { z } from 'zod';
import {
  fields,
  momentInQuery,
  oneOrSeveral,
  queryBoolean,
  queryInt,
  storable,
  string,
} from '../schema-primitives.ts';
import type { Job } from './job.ts';
import { JOB_STATUSES } from './job-status.ts';
import type { Page } from './page.ts';

/** Queries about jobs, and bodies with the same filters; also their types. */

/** `queued,running`, or a repeated parameter. */
const statuses = oneOrSeveral(JOB_STATUSES);

export const jobFilter = {
  status: statuses.optional(),
  created_after: momentInQuery.optional(),
  created_before: momentInQuery.optional(),
};

/** The fields of a job that `fields=` can select. */
const JOB_FIELDS = [
  ...([
    'job_id',
    'user_id',
    'status',
    'waiting_for',
    'attempt',
    'max_attempts',
    'priority',
    'spec',
    'progress',
    'counts',
  ] as const),
  ...(['error', 'attempts', 'created_at', 'run_at', 'started_at', 'finished_at'] as const),
] as const satisfies readonly (keyof Job)[];

/** Query of `GET /jobs`, without `metadata.<name>`. */
export const listJobsQuery = z.strictObject({
  ...jobFilter,
  /** Another user's: for admins. */
  user_id: z.uuid().optional(),
  sort: z.enum(['created_at', '-created_at'], 'expected created_at or -created_at').default('-created_at'),
  fields: oneOrSeveral(JOB_FIELDS).optional(),
  limit: queryInt(1, 200).default(50),
  cursor: string(500).optional(),
});

/** The `metadata.<name>=` parameters of a query. Names are as in `metadata`: blanks count. */
export const metadataFilter = fields(storable(200), storable(1000), 20);
export const metadataQuery = z.strictObject({ metadata: metadataFilter });

/** Body of `POST /jobs/cancel`: the filters of `GET /jobs`. */
export const cancelJobsRequest = z
  .strictObject({ ...jobFilter, metadata: metadataFilter.optional(), user_id: z.uuid().optional() })
  // An empty one would cancel all.
  .refine(
    ({ metadata, ...others }) => Object.keys(others).length > 0 || Object.keys(metadata ?? {}).length > 0,
    'expected at least one of status, created_after, created_before, metadata, user_id',
  );

/** Query of `GET /queue`. `all` is for admins only. */
export const queueQuery = z.strictObject({ all: queryBoolean.default(false) });

/** The longest wait of a request that submits a job, in seconds. */
export const MAX_WAIT_SECONDS = 120;

/** Query of `POST /jobs/scrape`. `wait` is in seconds. */
export const submitQuery = z.strictObject({ wait: queryInt(0, MAX_WAIT_SECONDS).optional() });

/** Query of `POST /scrape`. */
export const scrapePageQuery = z.strictObject({
  wait: queryInt(0, MAX_WAIT_SECONDS).optional(),
  /** The job goes on if the client goes away during the wait. */
  keep: queryBoolean.default(false),
});

/** Query of `GET /jobs/{id}`. `wait` is in seconds. */
export const getJobQuery = z.strictObject({ wait: queryInt(0, 60).optional() });

/** The fields of a page that `fields=` can select; `position` is its place in the job, from 0. */
const PAGE_FIELDS = [
  ...(['position', 'url', 'final_url', 'status_code', 'content_type', 'title', 'markdown', 'html'] as const),
  ...(['raw_html', 'text', 'links', 'metadata', 'extracted', 'contacts', 'screenshot', 'pdf'] as const),
  ...(['action_screenshots', 'engine', 'fetched_at', 'duration_ms', 'error', 'warnings'] as const),
] as const satisfies readonly (keyof Page | 'position')[];

/** Query of `GET /jobs/{id}/pages`. Without a limit JSON holds 100, NDJSON all. */
export const listPagesQuery = z
  .strictObject({
    fields: oneOrSeveral(PAGE_FIELDS).optional(),
    limit: queryInt(1, 1000).optional(),
    cursor: string(500).optional(),
    format: z.enum(['json', 'ndjson']).optional(),
    /** In the order they were stored, with a `next_cursor` until the job has ended. */
    follow: queryBoolean.optional(),
  })
  .refine(({ follow, format }) => !follow || format !== 'ndjson', {
    path: ['follow'],
    message: 'expected none with format ndjson: only JSON has a next_cursor',
  })
  .refine(({ follow, fields }) => !follow || !fields, {
    path: ['fields'],
    message: 'expected none with follow, which gives whole pages',
  });

/** Query of `GET /jobs/{id}/urls`. */
export const listUrlsQuery = z.strictObject({
  limit: queryInt(1, 10_000).default(1000),
  cursor: string(500).optional(),
});
