import { z } from 'zod';
import { SOURCE_TYPES } from '../leads/lead.ts';
import { leadFilters } from '../leads/lead-filters.ts';
import { parseUrl } from '../parse-url.ts';
import { fields, list, metadata, moment, string, text, timeZone, webUrl } from '../schema-primitives.ts';
import { actionSelectorProblem } from '../selectors/action-selector.ts';
import { splitLogin } from '../url-login.ts';
import { extractFields } from './extract-schemas.ts';

/**
 * Request bodies and queries about jobs, and their types. Objects are strict in all `…-schemas.ts`:
 * an unknown field is an error with its path, not a silent no-op.
 */

/** How much of a page counts as its main content. */
export const CONTENT_SCOPES = ['precise', 'balanced', 'complete'] as const;

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

const selector = text(1000).pipe(
  z.string().superRefine((value, context) => {
    const problem = actionSelectorProblem(value);
    if (problem !== null) context.addIssue({ code: 'custom', message: `not a CSS selector: ${problem}` });
  }),
);
const waitMs = z.int().min(0).max(60_000);
const action = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('wait'),
    ms: waitMs.optional(),
    selector: selector.optional(),
  }),
  z.strictObject({ type: z.literal('click'), selector }),
  z.strictObject({ type: z.literal('type'), selector, text: string(10_000) }),
  z.strictObject({ type: z.literal('select'), selector, value: string(1000) }),
  z.strictObject({ type: z.literal('hover'), selector }),
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
  include: list(text(1000), { max: 100 }).optional(),
  exclude: list(text(1000), { max: 100 }).optional(),
  same_origin: z.boolean().optional(),
});

/**
 * Field names are tokens (RFC 9110). A value with a line break would be a second header, and
 * nothing sends other control characters or letters beyond Latin-1.
 */
const headers = fields(
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/, 'expected a header name'),
  string(8192)
    .regex(/^[^\r\n\0]*$/, { message: 'expected one line', abort: true })
    .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'expected Latin-1 text without control characters'),
  100,
);

const cookie = z
  .strictObject({
    name: z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/, 'expected a cookie name'),
    value: string(4096).regex(/^[^\p{Cc};]*$/u, 'expected a cookie value without ; or control characters'),
    url: webUrl.optional(),
    domain: z
      .string()
      .regex(/^\.?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i, 'expected a host name')
      .optional(),
    path: string(1000).regex(/^\//, 'expected a path that begins with /').optional(),
    expires: z.int().min(1).optional(),
    http_only: z.boolean().optional(),
    secure: z.boolean().optional(),
    same_site: z.enum(['strict', 'lax', 'none']).optional(),
  })
  .refine(({ url, domain }) => !url || !domain, 'expected url or domain, not both');
export type JobCookie = z.infer<typeof cookie>;

const viewport = z.strictObject({ width: z.int().min(1).max(4096), height: z.int().min(1).max(4096) });

const locale = string(35).refine((value) => {
  try {
    return Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false;
  }
}, 'expected a language tag such as de-DE');

const PROXY_PROTOCOLS = ['http:', 'https:', 'socks5:'];
/** Its error message never quotes it: it may contain a password. */
export const proxyUrl = string(2000)
  .refine((value) => {
    const url = parseUrl(value);
    if (!url) return false;
    const { protocol, hostname, pathname, search, hash } = url;
    return (
      PROXY_PROTOCOLS.includes(protocol) && hostname !== '' && /^\/?$/.test(pathname) && !search && !hash
    );
  }, 'expected a proxy such as http://user:password@host:port, https:// or socks5://')
  .refine((value) => {
    try {
      const { username, password } = new URL(value);
      return decodeURIComponent(username + password) !== '\0';
    } catch {
      // An invalid URL is already reported.
      return parseUrl(value) === null;
    }
  }, 'expected user and password percent-encoded');

/** The fields of a job that say how each of its pages is loaded and read, and those of any job. */
const pageFields = {
  formats: list(z.enum(FORMATS), { min: 1, max: FORMATS.length }).optional(),
  main_content: z
    .union(
      [z.boolean(), z.enum(CONTENT_SCOPES)],
      `expected true, false or one of ${CONTENT_SCOPES.join(', ')}`,
    )
    .optional(),
  extract: extractFields(1).optional(),
  render: z.enum(['auto', 'http', 'browser']).optional(),
  actions: list(action, { max: 100 }).optional(),
  headers: headers.optional(),
  cookies: list(cookie, { max: 200 }).optional(),
  viewport: viewport.optional(),
  locale: locale.optional(),
  timezone: timeZone.optional(),
  mobile: z.boolean().optional(),
  proxy: z.union([proxyUrl, list(proxyUrl, { min: 1, max: 100 })]).optional(),
  timeout_ms: z.int().min(100).max(600_000).optional(),
  priority: z.int().min(0).max(9).optional(),
  max_attempts: z.int().min(1).max(20).optional(),
  webhook_url: webUrl.optional(),
  metadata: metadata.optional(),
};

/** Body of `POST /jobs/scrape`. Every field is optional, but at least one must name a target. */
export const scrapeRequest = z
  .strictObject({
    urls: list(webUrl, { min: 1, max: 1000 }).optional(),
    industry: text(500).optional(),
    geography: text(500).optional(),
    keywords: list(text(200), { min: 1, max: 100 }).optional(),
    source_types: list(
      z.enum(SOURCE_TYPES, `unknown source type, expected one of ${SOURCE_TYPES.join(', ')}`),
      { min: 1, max: 20 },
    ).optional(),
    search_query: text(2000).optional(),
    filters: leadFilters.optional(),
    crawl: crawl.optional(),
    max_leads: z.int().min(1).max(100_000).optional(),
    run_at: moment.optional(),
    ...pageFields,
  })
  .superRefine((body, context) => {
    if (!body.urls && !body.search_query && !body.industry && !body.keywords) {
      context.addIssue({
        code: 'custom',
        message: 'expected at least one of urls, search_query, industry, keywords',
      });
    }
    if (body.source_types?.every((type) => type === 'website') && !body.urls) {
      context.addIssue({
        code: 'custom',
        path: ['source_types'],
        message: 'the source website needs urls: the sites to read',
      });
    }
    if (body.render === 'http') refuseBrowserWork(body, context);
    refuseSeveralLogins(body.urls ?? [], context);
  });
export type ScrapeRequest = z.infer<typeof scrapeRequest>;

/** Body of `POST /scrape`: a job of one page. */
export const pageRequest = z.strictObject({ url: webUrl, ...pageFields }).superRefine((body, context) => {
  if (body.render === 'http') refuseBrowserWork(body, context);
});
export type PageRequest = z.infer<typeof pageRequest>;

/** Once the user names are taken out, two such URLs would be one. */
function refuseSeveralLogins(urls: readonly string[], context: z.RefinementCtx): void {
  const known = new Map<string, string>();
  for (const [place, text] of urls.entries()) {
    const { url, login } = splitLogin(text);
    if (!login) continue;
    const first = known.get(url) ?? login.authorization;
    known.set(url, first);
    if (first === login.authorization) continue;
    context.addIssue({
      code: 'custom',
      path: ['urls', place],
      message: 'the same URL with another user name or password: post it as another job',
    });
  }
}

/** Body of `POST /jobs/map`. */
export const mapRequest = z.strictObject({
  url: webUrl,
  limit: z.int().min(1).max(50_000).default(5000),
  include: crawl.shape.include,
  exclude: crawl.shape.exclude,
  same_origin: crawl.shape.same_origin,
  /** Words that a URL or its title must contain. */
  search: text(500).optional(),
});
export type MapRequest = z.infer<typeof mapRequest>;

/** With `render: http`, fields that need a browser are refused. */
function refuseBrowserWork(
  body: {
    actions?: readonly unknown[] | undefined;
    formats?: readonly string[] | undefined;
    [field: string]: unknown;
  },
  context: { addIssue(issue: { code: 'custom'; path: (string | number)[]; message: string }): void },
): void {
  const refuse = (path: (string | number)[], what: string) =>
    context.addIssue({
      code: 'custom',
      path,
      message: `${what}: not with render http, which has no browser; leave render out, or make it auto or browser`,
    });
  if (body.actions && body.actions.length > 0) refuse(['actions'], 'actions');
  for (const [place, format] of (body.formats ?? []).entries()) {
    if (format === 'screenshot' || format === 'pdf') refuse(['formats', place], format);
  }
  for (const field of ['viewport', 'timezone', 'mobile']) if (body[field]) refuse([field], field);
}

export const MAX_BATCH = 1000;
/** Body of `POST /jobs/batch`; each of its jobs is a `scrapeRequest`. */
export const batchRequest = z.strictObject({ jobs: z.array(z.unknown()) });

export const DEFAULT_PRIORITY = 0;
export const DEFAULT_MAX_ATTEMPTS = 3;
export const DEFAULT_FORMATS = ['markdown', 'links', 'metadata'] as const;

/** Header `Idempotency-Key`: any printable ASCII text. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 printable ASCII characters without spaces');
