import { z } from 'zod';
import { EVENT_TYPES, type EventType } from './events.ts';
import { JOB_STATUSES } from './job-state.ts';

/**
 * Every request body and query the API accepts; the types come from here. Objects are strict, so an unknown field is an
 * error with its path and not a silent no-op.
 */

export const FORMATS = [
  'markdown',
  'html',
  'raw_html',
  'text',
  'links',
  'metadata',
  'contacts',
  'screenshot',
  'pdf',
] as const;

/** Postgres cannot keep a NUL in text. */
export const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\0]*$/, 'expected text without NUL characters');

/** Only the web: `file:`, `data:`, `ftp:` and the browser's own schemes are refused before anything is stored. */
export const webUrl = z
  .string()
  .max(8192)
  .superRefine((value, context) => {
    const problem = webUrlProblem(value);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

function webUrlProblem(value: string): string | null {
  if (!URL.canParse(value)) return 'expected an absolute URL such as https://example.com/';
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return `expected an http or https URL, got ${url.protocol.slice(0, 32)}`;
  }
  if (url.hostname === '') return 'expected a URL with a host';
  return null;
}

const LAST_MOMENT = Date.UTC(9999, 0);
/** A moment in UTC: Postgres takes neither the year 0 nor every offset that ISO 8601 allows. */
export const moment = z.iso
  .datetime({ offset: true })
  // What is no moment at all (NaN) has been told already.
  .refine(
    (value) => !(Date.parse(value) < 0 || Date.parse(value) >= LAST_MOMENT),
    'expected a year from 1970 to 9998',
  )
  .transform((value) => new Date(value).toISOString());

const selector = text(1000);
const extractField = z.union(
  [selector, z.strictObject({ selector, attribute: text(100).optional(), many: z.boolean().optional() })],
  'expected a CSS selector, or an object of selector, attribute and many',
);

const waitMs = z.int().min(0).max(60_000);
const action = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('wait'),
    ms: waitMs.optional(),
    selector: selector.optional(),
  }),
  z.strictObject({ type: z.literal('click'), selector }),
  z.strictObject({ type: z.literal('type'), selector, text: z.string().max(10_000) }),
  z.strictObject({ type: z.literal('press'), key: text(50), selector: selector.optional() }),
  z.strictObject({
    type: z.literal('scroll'),
    direction: z.enum(['up', 'down']).optional(),
    amount: z.int().min(1).max(100_000).optional(),
    selector: selector.optional(),
  }),
  z.strictObject({ type: z.literal('screenshot'), full_page: z.boolean().optional() }),
]);
export type Action = z.infer<typeof action>;

const crawl = z.strictObject({
  max_pages: z.int().min(1).max(100_000).optional(),
  max_depth: z.int().min(0).max(100).optional(),
  include: z.array(text(1000)).max(100).optional(),
  exclude: z.array(text(1000)).max(100).optional(),
  same_origin: z.boolean().optional(),
});

/** Field names are tokens (RFC 9110); a value with a line break would be a second header. */
const headers = z.record(
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/, 'expected a header name'),
  z
    .string()
    .max(8192)
    .regex(/^[^\r\n\0]*$/, 'expected one line'),
);

/** Body of `POST /jobs/scrape`. Every field is optional, but something must say what to look for. */
export const scrapeRequest = z
  .strictObject({
    urls: z.array(webUrl).min(1).max(1000).optional(),
    industry: text(500).optional(),
    geography: text(500).optional(),
    keywords: z.array(text(200)).min(1).max(100).optional(),
    source_types: z.array(text(100)).min(1).max(20).optional(),
    search_query: text(2000).optional(),
    filters: z.record(z.string().max(100), z.unknown()).optional(),
    formats: z.array(z.enum(FORMATS)).min(1).max(FORMATS.length).optional(),
    main_content: z.boolean().optional(),
    extract: z.record(text(100), extractField).optional(),
    render: z.enum(['auto', 'http', 'browser']).optional(),
    crawl: crawl.optional(),
    actions: z.array(action).max(100).optional(),
    headers: headers.optional(),
    timeout_ms: z.int().min(100).max(600_000).optional(),
    max_leads: z.int().min(1).max(100_000).optional(),
    priority: z.int().min(0).max(9).optional(),
    run_at: moment.optional(),
    max_attempts: z.int().min(1).max(20).optional(),
    webhook_url: webUrl.optional(),
    metadata: z.record(z.string().max(200), z.unknown()).optional(),
  })
  .superRefine((body, context) => {
    if (!body.urls && !body.search_query && !body.industry && !body.keywords) {
      context.addIssue({
        code: 'custom',
        message: 'expected at least one of urls, search_query, industry, keywords',
      });
    }
  });
export type ScrapeRequest = z.infer<typeof scrapeRequest>;

/** Body of `POST /jobs/batch`. */
export const batchRequest = z.strictObject({ jobs: z.array(scrapeRequest).min(1).max(1000) });

export const DEFAULT_PRIORITY = 0;
export const DEFAULT_MAX_ATTEMPTS = 3;
export const DEFAULT_FORMATS = ['markdown', 'links', 'metadata'] as const;

export const queryInt = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min).max(max));

/** Query of `GET /jobs`. */
export const listJobsQuery = z.strictObject({
  status: z.enum(JOB_STATUSES).optional(),
  limit: queryInt(1, 200).default(50),
  cursor: z.string().max(500).optional(),
});

/** Query of `GET /jobs/{id}`. `wait` is in seconds. */
export const getJobQuery = z.strictObject({ wait: queryInt(0, 60).optional() });

/** Query of `GET /jobs/{id}/pages`. Without a limit JSON holds 100, NDJSON all. */
export const listPagesQuery = z.strictObject({
  limit: queryInt(1, 1000).optional(),
  cursor: z.string().max(500).optional(),
  format: z.enum(['json', 'ndjson']).optional(),
});

/** `job.completed,job.failed`, or a domain as `job.*`; given once or several times. */
const eventTypes = z
  .union([z.string().max(2000), z.array(z.string().max(200)).max(50)])
  .transform((given) => [given].flat().flatMap((list) => list.split(',')))
  .transform((names, context) => {
    const types = names.flatMap((name) => {
      const matching = EVENT_TYPES.filter(
        (type) => type === name || (name.endsWith('.*') && type.startsWith(name.slice(0, -1))),
      );
      if (matching.length === 0) {
        context.addIssue({ code: 'custom', message: `there is no event ${name.slice(0, 100)}` });
      }
      return matching;
    });
    return [...new Set<EventType>(types)];
  });

/** Query of `GET /events` and `GET /jobs/{id}/events`. `after` and `last_event_id` are places: ids of events. */
export const listEventsQuery = z.strictObject({
  after: z.string().max(100).optional(),
  last_event_id: z.string().max(100).optional(),
  limit: queryInt(1, 1000).optional(),
  type: eventTypes.optional(),
  format: z.enum(['sse', 'json', 'ndjson']).optional(),
});

/** What a WebSocket client of `/live` says. */
export const liveRequest = z.union(
  [
    z.strictObject({ authenticate: z.string().min(1).max(500) }),
    z.strictObject({
      subscribe: z.strictObject({
        /** What the client calls it; every message of this subscription carries it. */
        id: z.string().max(100).default(''),
        job_id: z.uuid().optional(),
        types: eventTypes.optional(),
      }),
      last_event_id: z.string().max(100).optional(),
    }),
    z.strictObject({ unsubscribe: z.string().max(100) }),
  ],
  'expected {"authenticate": …}, {"subscribe": {…}} or {"unsubscribe": …}',
);

const deadLetterFilter = {
  code: text(200).optional(),
  user_id: z.uuid().optional(),
  created_after: moment.optional(),
  created_before: moment.optional(),
};

/** Query of `GET /dead-letters`. */
export const listDeadLettersQuery = z.strictObject({
  ...deadLetterFilter,
  limit: queryInt(1, 200).default(50),
  cursor: z.string().max(500).optional(),
});

/** Body of `POST /dead-letters/requeue`. */
export const requeueDeadLettersRequest = z.strictObject({
  ...deadLetterFilter,
  limit: z.int().min(1).max(10_000).default(1000),
});

export const createUserRequest = z.strictObject({ email: z.email().max(320), name: text(200) });

export const issueKeyRequest = z.strictObject({
  name: text(200),
  user_id: z.uuid().optional(),
  expires_at: moment.optional(),
});

/** Header `Idempotency-Key`: any printable text a client can make up. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 printable ASCII characters without spaces');
