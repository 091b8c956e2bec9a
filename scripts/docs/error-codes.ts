import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '../../core/errors.ts';
import { FAILURE_STATUSES } from '../../core/jobs/failure-status.ts';
import { PAGE_ERRORS, type PageErrorCode } from '../../core/jobs/page-errors.ts';
import { SOURCE_ERRORS, type SourceErrorCode } from '../../scraping/leads/sources/errors.ts';

// docs/reference/error-codes.md. The codes, statuses and consequences come from the code; a unit test fails if a code has no
// text here, or a text has no code.

type JobErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode] | 'artifacts_unavailable';
/** What a code means, and what its reader can do. */
type Text = readonly [meaning: string, remedy: string];

const CONSEQUENCES = { retryable: 'tried again', permanent: 'final' } as const;

const PAGE: Record<PageErrorCode, string> = {
  dns_failed: 'Check the host name. Names are resolved by the worker, also if the job names a proxy',
  connection_refused: 'Nothing: it is tried again. If it stays, the site is down or blocks your address',
  connection_failed: 'Nothing: it is tried again. A body that ends early is stored with this error',
  proxy_failed:
    "Check the proxy's address, credentials and certificate; `proxy_failed` in the worker's log says why",
  tls_failed: 'Open the page in a browser: its certificate is expired, self-signed or for another name',
  page_timeout: 'Raise `timeout_ms`, or wait for less in `actions`',
  page_too_large: 'Raise `MAX_PAGE_BYTES`',
  too_many_redirects: 'Usually a cookie or a header is missing that the site expects',
  egress_refused: 'For a site on your own machine or network: name it in `EGRESS_ALLOW`',
  robots_disallowed: "Respect it, or ask the site's operator",
  robots_unreadable: 'Nothing: it is read again after a minute (RFC 9309 forbids loading pages meanwhile)',
  browser_crashed: 'Nothing. If it is frequent, give the machine more memory, or a container more `/dev/shm`',
  page_out_of_memory: 'Raise `BROWSER_MEMORY_MB`, if the page deserves it',
  unsupported_content:
    'Fetch the file yourself: pages, feeds, JSON, Markdown, text, PDFs, office documents, tables and pictures are read',
  file_unreadable: 'Open the file yourself; if it opens, report it as a bug',
  file_encrypted: 'Ask for the file without a password',
  file_without_text: 'Read it with character recognition (OCR); its metadata are stored',
  extraction_failed: 'Ask for `raw_html`; report the page',
  capture_failed: 'Nothing: it is tried again. Very large pages may never work',
  http_client_error:
    'The content is stored with the status. 401 and 403: `headers`, `cookies` or a `proxy`; 404: the address',
  http_too_many_requests: 'Lower `HOST_CONCURRENCY` or raise `HOST_GAP_MS`',
  http_server_error: 'Nothing: it is tried again. The content is stored with the status',
  bad_cookie: 'Correct the cookie: usually its domain does not fit the URL',
  bad_selector: 'Correct the CSS selector that the message names',
  action_failed: 'The message names the action. Wait for its selector first, or correct it',
  action_download: 'Fetch the file yourself. The page is stored as it was before the download',
  action_new_window: 'Name the address of that window in `urls`, if it has one',
};

const SOURCE: Record<SourceErrorCode, Text> = {
  source_not_configured: ['its setting or a field of the job is missing', 'Set what the message names'],
  source_denied: [
    'the key or its rights were not accepted, or the instance lacks what is needed',
    'Check the key',
  ],
  source_consent: ['it wants consent to cookies first', "Use SearXNG or Google's API"],
  source_captcha: ['it wants to see a human', "Use SearXNG or Google's API; retrying soon makes it worse"],
  source_auth_wall: ['what is asked for is shown to members only', 'Use another source'],
  source_unreadable: [
    'its answer is not what it used to be',
    'Report it; for a directory, correct its selectors',
  ],
  source_place_unknown: [
    '`geography` is no place that it knows',
    'Write the place with its country: `Leeds, UK`',
  ],
  source_rate_limited: ['it asks for fewer requests', 'Nothing, or fewer searches'],
  source_unavailable: ['it does not answer, or with 5xx', 'Nothing'],
};

const JOB: Record<JobErrorCode, readonly [consequence: string, ...Text]> = {
  attempt_timeout: [
    'tried again',
    'an attempt took longer than `JOB_TIMEOUT_MS`',
    'Fewer `urls` per job, or a higher limit',
  ],
  worker_lost: [
    'tried again',
    'the worker of this attempt died or stopped answering',
    'If one job does this repeatedly, look for its id in the log of its workers: memory, usually',
  ],
  all_urls_failed: [
    'as its pages',
    'every page failed, for different reasons',
    'Read the `error` of each page',
  ],
  all_sources_failed: [
    'as its sources',
    'every source failed, for different reasons',
    'The message names each',
  ],
  limit_reached: [
    'waits, at no cost',
    'its user or its key has used up a limit of pages or bytes; what was stored stays',
    'Nothing: it goes on at `run_at`. An admin can raise the limit, which lets it go on at once',
  ],
  host_busy: [
    'waits, at no cost',
    'every permit of a host is taken',
    'Nothing, or a higher `HOST_CONCURRENCY`',
  ],
  site_unavailable: [
    'waits; final after 60 waits in a row without a page',
    'the site failed to answer ten times in a row',
    'Retry the job when the site is back',
  ],
  site_asked_to_wait: [
    'waits; final after 60 waits in a row without a page',
    'the site answered 429 or 503 with `Retry-After`',
    'Nothing, or fewer requests to that site',
  ],
  artifacts_unavailable: [
    'tried again',
    'a screenshot or PDF could not be stored',
    'Check `ARTIFACTS_URL` and its store',
  ],
  secrets_unreadable: [
    'final',
    'its headers, cookies or passwords cannot be decrypted: the encryption key was lost, or the row was copied from another database',
    'Post the job again; the operator restores the key',
  ],
  internal_error: ['tried again', 'an error that is not foreseen', 'Report it with the log lines of the job'],
};

const PROBLEM: Record<string, Text> = {
  invalid_request: ['the body or query does not fit', '`errors` lists each field with its path'],
  malformed_json: ['the body is not JSON, or JSON that would not come back as sent', 'Correct the body'],
  malformed_request: [
    'not HTTP/1.1, not one valid `Host`, or a `Transfer-Encoding` other than `chunked`',
    'Check the client',
  ],
  malformed_url: ['the URL holds a `%` that begins no character, or is `*`', 'Encode `%` as `%25`'],
  unauthorized: ['the API key is missing or wrong', 'Send `Authorization: Bearer <key>`'],
  forbidden: [
    'the key, or the role of its user, lacks the scope that `missing_scope` names',
    'Use a key that has it',
  ],
  key_revoked: ['the API key was revoked', 'Ask who issued it for another'],
  key_expired: ['the API key has expired', 'Ask who issued it for another; rotate keys before their end'],
  user_disabled: ['the user of the API key is disabled', 'Ask an admin'],
  address_not_allowed: [
    'the API key is bound to other addresses (`allowed_ips`)',
    'Call from one of them, or change the key. Behind a proxy: `TRUSTED_PROXIES`',
  ],
  key_state_conflict: ['the key was revoked or has expired', 'Issue another'],
  last_admin: ['no other enabled user is an admin', 'Make another user an admin first'],
  own_user: ['nobody deletes themselves', 'Ask another admin'],
  installation_admin: [
    'the first admin is made again by each start, so deleting it has no effect',
    'Revoke its keys',
  ],
  not_found: ['there is no such path or object, or it belongs to another user', 'Check the id'],
  method_not_allowed: ['the path does not know this method', 'The header `Allow` lists those it knows'],
  request_timeout: ['the request did not arrive in time', 'Send it again'],
  body_interrupted: ['the body ended early', 'Send it again'],
  body_too_large: ['the body exceeds the limit (100 KB; a batch 10 MB)', 'Split it'],
  unsupported_media_type: [
    'not JSON in UTF-8, or a `Content-Encoding`',
    'Send `Content-Type: application/json`, uncompressed',
  ],
  expectation_failed: ['an `Expect` other than `100-continue`', 'Leave it out'],
  upgrade_required: ['`/live` speaks WebSocket', 'Use a WebSocket client, or `GET /events`'],
  headers_too_large: ['request line and headers exceed 16 KB', 'Send less'],
  rate_limited: [
    'more requests per second than the user may send, or too many wrong keys',
    'Wait for `Retry-After`; the header `RateLimit` says what is left',
  ],
  limit_reached: [
    '`limit` names the limit, `scope` whose it is (user or key), `used` and `limit_value` how much; `free_at` is null if it depends on what ends or is deleted',
    'Wait for `Retry-After`, or ask an admin for more; `GET /usage` shows all limits',
  ],
  too_many_streams: ['more than `STREAMS_PER_USER` streams', 'Close some; one stream can carry all events'],
  origin_not_allowed: [
    'a page of another site sent a request to `/mcp`',
    'Name its origin in `CORS_ORIGINS`, if it is yours',
  ],
  internal_error: ['an error that is not foreseen', 'Report it with `request_id`'],
  map_failed: ['the site of `POST /jobs/map` could not be read', 'The message holds the code of the page'],
  stopping: ['the process is shutting down', 'Send it again: another process, or the next one, answers'],
  database_unavailable: [
    'Postgres does not answer',
    'Send it again after `Retry-After`, with the same `Idempotency-Key`',
  ],
  overloaded: ['the process holds as much as it can', 'Send it again after `Retry-After`'],
  artifacts_unavailable: [
    'the store of screenshots and PDFs does not answer',
    'Send it again; check `ARTIFACTS_URL`',
  ],
  job_cancelled: ['the job was cancelled while the request waited for it', 'Send it again'],
  job_state_conflict: ["the job's state does not allow this", '`GET` the job'],
  idempotency_conflict: [
    'this `Idempotency-Key` was used with another body',
    'Use a new key for a new request',
  ],
  email_not_configured: ['this installation sends no e-mail', 'The operator sets `SMTP_URL`'],
  too_many_subscriptions: ['200 subscriptions per user (409), 50 per WebSocket (429)', 'Delete some'],
  too_many_schedules: ['10,000 schedules per user', 'Delete some, or give one job several `urls`'],
  schedule_unreadable: [
    'the headers, cookies or passwords of a schedule cannot be decrypted',
    'Give its `job` again by PATCH; the operator checks `ENCRYPTION_KEY`',
  ],
  webhook_exists: ['there is an endpoint with this URL; the message names it', 'Use that one'],
  webhook_paused: ['the endpoint is paused', '`PATCH {"paused": false}` first'],
  delivery_under_way: ['the delivery is being sent already', 'Nothing'],
  already_authenticated: ['a second `authenticate` on a WebSocket', 'Open another connection'],
  subscription_exists: ['the WebSocket has a subscription of this id', 'Choose another id'],
  not_requeueable: ['a message that cannot be read cannot run', 'Discard the dead letter'],
  code_taken: ['another link has this code, or had it within `RETENTION_DAYS`', 'Choose another'],
  email_taken: ['a user has this e-mail address', 'Use that user'],
  expired: ['the shared results have expired', 'Share them again'],
};

const DELIVERY: Record<string, Text> = {
  http_error: ['the receiver answered 4xx or 5xx', 'Read `response` of the delivery'],
  redirect_refused: ['the receiver answered with a redirect', 'Register the final URL'],
  gone: [
    '410 of an endpoint, or 404 or 410 of a push service',
    'The endpoint is paused, the push subscription dropped',
  ],
  timeout: ['no answer within ten seconds', 'Answer first, work afterwards'],
  circuit_open: ['the receiver failed five times in a row; no attempt is spent', 'Nothing'],
  endpoint_busy: ['the endpoint has as many requests under way as it may; no attempt is spent', 'Nothing'],
  endpoint_paused: ['the endpoint was paused', '`PATCH {"paused": false}`, then redeliver'],
  released: ['the notifier shut down; no attempt is spent', 'Nothing'],
  secret_unreadable: [
    'the signing secret or the login of the endpoint cannot be decrypted: the encryption key was lost',
    'The operator restores the key; else rotate the secret (`POST /webhooks/{id}/rotate-secret`)',
  ],
  push_rejected: [
    'the push service answered 400, 401, 403 or 413: the same message would fail again',
    'Read `response` of the delivery',
  ],
  push_keys_invalid: ['the keys of the push subscription cannot be used', 'Subscribe again'],
  mail_refused: ['the mail server refused this address or message for good', 'Check the address'],
  smtp_error: ['the mail server refused for now', 'Nothing'],
  smtp_login_refused: ['the mail server refused the login', 'Correct `SMTP_URL`'],
  smtp_unreachable: ['the mail server does not answer', 'Check `SMTP_URL`'],
  email_not_configured: ['the notifier has no `SMTP_URL`', 'Set it for the notifier too'],
};

/** @param root of the repository; its sources are read for the codes that are not declared in a table */
export function errorCodes(root: string): string {
  const problems = problemCodes(root).map(({ code, statuses }) => [
    ...[`\`${code}\``, statuses.join(', ')],
    ...(PROBLEM[code] ?? missing(code)),
  ]);
  const unknown = Object.keys(PROBLEM).filter((code) => !problems.some(([name]) => name === `\`${code}\``));
  if (unknown.length > 0) throw new Error(`no code of the API: ${unknown.join(', ')}`);
  const deliveries = deliveryCodes(root).map((code) => [`\`${code}\``, ...(DELIVERY[code] ?? missing(code))]);
  return [
    HEAD,
    table('Answers of the API', ['code', 'status', 'meaning', 'what to do'], problems),
    'The body is `application/problem+json` (RFC 9457):\n`{type, title, status, detail, code, instance, request_id, errors?}`.',
    table(
      'Pages',
      ['code', 'consequence', 'meaning', 'what to do'],
      entriesOf(PAGE_ERRORS).map(([code, [consequence, meaning]]) => [
        ...[`\`${code}\``, CONSEQUENCES[consequence], meaning, PAGE[code]],
      ]),
    ),
    table(
      'Jobs',
      ['code', 'consequence', 'meaning', 'what to do'],
      entriesOf(JOB).map(([code, texts]) => [`\`${code}\``, ...texts]),
    ),
    'A job whose pages all failed with one code has that code; so has a search whose sources did.',
    failureStatuses(),
    table(
      'Lead sources',
      ['code', 'consequence', 'meaning', 'what to do'],
      entriesOf(SOURCE_ERRORS).map(([code, consequence]) => [
        ...[`\`${code}\``, CONSEQUENCES[consequence], ...SOURCE[code]],
      ]),
    ),
    table('Deliveries of notifications', ['code', 'meaning', 'what to do'], deliveries),
    DELIVERY_REMARK,
  ].join('\n\n');
}

/** With which statuses requests that wait answer the codes of jobs. */
function failureStatuses(): string {
  const of = (status: number) =>
    entriesOf(FAILURE_STATUSES)
      .flatMap(([code, its]) => (its === status ? `\`${code}\`` : []))
      .join(', ');
  return `A request that waits for its job (\`POST /scrape\`, \`POST /jobs/scrape?wait=\`) answers a failure with the
job's code and \`job_id\`, with the status 422 if the same request would fail again and its sender can change
it (${of(422)}), 503 if the site wants fewer requests (${of(503)}), 504 if time ran out (${of(504)}), and 502
for all others. The page, if one was stored, is at \`GET /jobs/{id}/pages\`.`;
}

const HEAD = `# Error codes

Codes are stable: program against them. Messages are for people and may change.
\`npm run docs\` writes this page from the code (\`scripts/docs/error-codes.ts\`).

"tried again" means a further attempt of the job while it has any; "final" fails at once. A page's
error fails its job only if no page of the job succeeded.`;

const DELIVERY_REMARK = `A connection that fails has the code of a page: \`dns_failed\`, \`connection_refused\`,
\`connection_failed\`, \`tls_failed\`, \`egress_refused\`. A message on a queue that cannot be read is a
dead letter with the code \`unreadable_message\`.
`;

/** Of the SDK itself: what has no answer of the API. */
const CLIENT_CODES = [
  ...['cancelled', 'http_error', 'invalid_answer', 'invalid_signature', 'invalid_url', 'timeout'],
  'unreachable',
];

/** `sdk/src/error-codes.ts`: every code that an error of the SDK can have. */
export function sdkErrorCodes(root: string): string {
  const codes = [
    ...problemCodes(root).map(({ code }) => code),
    ...[PAGE_ERRORS, SOURCE_ERRORS, JOB].flatMap((table) => Object.keys(table)),
    ...CLIENT_CODES,
  ];
  const names = [...new Set(codes)].sort().map((code) => `  | '${code}'`);
  return [
    '/** Written by `npm run docs` from the codes of the server: docs/reference/error-codes.md. */',
    'export type KnownErrorCode =',
    `${names.join('\n')};`,
    '',
    '/** A newer server may have others. */',
    'export type ErrorCode = KnownErrorCode | (string & {});',
    '',
  ].join('\n');
}

/** Codes of `Problem`s, by name, with their statuses. */
export function problemCodes(root: string): { code: string; statuses: number[] }[] {
  const found = new Map<string, Set<number>>();
  const add = (code: string, status: number) => found.set(code, (found.get(code) ?? new Set()).add(status));
  for (const text of sourcesIn(join(root, 'api'))) {
    for (const [, status, code] of text.matchAll(/\bnew Problem\(\s*(\d{3}),\s*'([a-z_]+)'/g))
      add(String(code), Number(status));
    for (const [, code] of text.matchAll(/\bconflict\(\s*'([a-z_]+)'/g)) add(String(code), 409);
  }
  return [...found]
    .map(([code, statuses]) => ({ code, statuses: [...statuses].sort() }))
    .sort((a, b) => (a.statuses[0] ?? 0) - (b.statuses[0] ?? 0) || (a.code < b.code ? -1 : 1));
}

/** Codes that the notifier gives a delivery, but for those that a connection shares with pages. */
export function deliveryCodes(root: string): string[] {
  const literal = /\bcode: '([a-z_]+)'|'(smtp_[a-z_]+)'/g;
  const codes = sourcesIn(join(root, 'workers/notifier')).flatMap((text) =>
    [...text.matchAll(literal)].map(([, code, smtp]) => String(code ?? smtp)),
  );
  return [...new Set(codes)].sort();
}

/** Codes of errors that are thrown by name, as `new RetryableError('artifacts_unavailable', …)`. */
export function thrownCodes(root: string): string[] {
  const literal = /\bnew (?:Retryable|Permanent|Snooze)Error\(\s*'([a-z_]+)'/g;
  const folders = ['core', 'db', 'dispatch', 'scraping', 'storage', 'workers'];
  const texts = folders.flatMap((folder) => sourcesIn(join(root, folder)));
  return [...new Set(texts.flatMap((text) => [...text.matchAll(literal)].map(([, code]) => String(code))))];
}

export const isJobCode = (code: string): boolean => Object.hasOwn(JOB, code);

const sourcesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));

const entriesOf = <Name extends string, Value>(record: Readonly<Record<Name, Value>>) =>
  Object.entries(record) as [Name, Value][];

function missing(code: string): never {
  throw new Error(`scripts/docs/error-codes.ts says nothing of ${code}`);
}

const table = (title: string, head: readonly string[], rows: readonly (readonly unknown[])[]): string =>
  [`## ${title}\n`, rowOf(head), rowOf(head.map(() => '---')), ...rows.map(rowOf)].join('\n');

const rowOf = (cells: readonly unknown[]): string => `| ${cells.join(' | ')} |`;
