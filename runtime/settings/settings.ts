import { z } from 'zod';
import { proxyUrl } from '../../core/jobs/job-schemas.ts';
import { parseUrl } from '../../core/parse-url.ts';
import { parseRange } from '../address-policy.ts';
import { ENCRYPTION_KEY_FORMAT, parseEncryptionKey } from '../secrets/encryption-key.ts';
import {
  base64url,
  limitByRole,
  listOf,
  oneOf,
  text,
  urlOf,
  verbatim,
  wholeNumber,
} from './setting-types.ts';
import {
  amqpUrl,
  artifactsUrl,
  databaseUrl,
  egressDenyEntry,
  egressEntry,
  publicUrl,
} from './url-settings.ts';

/**
 * The processes of an installation. `start` is `npm start`, which passes every setting to its
 * children.
 */
export type ProcessName = 'start' | 'api' | 'worker' | 'notifier' | 'analytics' | 'dispatch' | 'mcp';

interface Details {
  /** The default, as written in the environment. Without one the setting is optional. */
  fallback?: string;
  /** Describes the default if there is no fallback; for the docs. */
  unset?: string;
  unit?: 'ms' | 's' | 'bytes' | 'MB' | 'days' | 'hours';
  says: string;
  readBy: readonly ProcessName[];
  /** Value in `.env.example`, if the fallback is no good example. */
  example?: string;
  /** Its value is never shown in a message. */
  secret?: true;
}

const setting = <T extends z.ZodType<unknown, string>, const D extends Details>(type: T, details: D) => ({
  ...details,
  type,
});

const ALL = ['start', 'api', 'worker', 'notifier', 'analytics', 'dispatch'] as const;
const CHILDREN = ['api', 'worker', 'notifier', 'analytics', 'dispatch'] as const;
const SWEEPERS = ['api', 'dispatch'] as const;
const web = urlOf('https:', 'http:');

const OF_THE_PRESET = { unset: 'as `LIMITS` says', readBy: ['api'] } as const;

/**
 * Every setting, declared once: `loadConfig` reads by this table, and `npm run docs` writes
 * `.env.example`, the configuration reference and the Compose file's list from it.
 */
export const SETTING_GROUPS = {
  'Where the API listens': {
    PORT: setting(wholeNumber(0, 65_535), {
      fallback: '3000',
      says: 'Port of the API. If it is unset and 3000 is taken, `npm start` takes the next free one; 0 is any free one',
      readBy: ['start', 'api'],
    }),
    HOST: setting(
      text.transform((host) => host.replace(/^\[(.*)\]$/, '$1')),
      {
        fallback: '127.0.0.1',
        says: 'Address the API listens on; 0.0.0.0 opens it to the network',
        readBy: ['start', 'api'],
      },
    ),
    PUBLIC_URL: setting(publicUrl, {
      unset: '`http://HOST:PORT`',
      says: 'Where your users reach the API, for links',
      readBy: ['api', 'notifier'],
      example: 'https://leads.example.com',
    }),
    BOOTSTRAP_API_KEY: setting(
      text.regex(
        /^[\x21-\x7e]{16,200}$/,
        'expected 16 to 200 printable ASCII characters without spaces, such as the output of `openssl rand -hex 24`',
      ),
      {
        unset: 'generated, shown once and stored in `DATA_DIR/api-key`',
        says: "The first admin's API key; replacing it revokes the one before. Give every API process the same",
        readBy: ['api'],
        secret: true,
      },
    ),
    TRUSTED_PROXIES: setting(
      listOf(
        z.string().refine(isRange, 'expected addresses or ranges such as 10.0.0.0/8, separated by commas'),
      ).transform((entries) => entries.filter((entry) => entry !== 'none')),
      {
        fallback: '127.0.0.0/8, ::1',
        says: 'Proxies in front of the API whose `X-Forwarded-For` or `Forwarded` is believed: addresses and ranges, or `none`',
        readBy: ['api'],
      },
    ),
    CORS_ORIGINS: setting(
      listOf(
        z
          .string()
          .refine(isOrigin, 'expected origins such as https://app.example.com, separated by commas, or *'),
      ).transform((entries) => entries.map((entry) => (entry === '*' ? entry : new URL(entry).origin))),
      {
        fallback: '',
        says: 'Pages that may call the API from browsers: origins separated by commas, or `*`',
        unset: 'none',
        example: 'https://app.example.com',
        readBy: ['api'],
      },
    ),
    RATE_LIMIT: setting(wholeNumber(1, 1_000_000), {
      fallback: '10000',
      says: 'Requests per user and second, over all API processes; lower it if third parties get keys',
      readBy: ['api'],
    }),
    STREAMS_PER_PROCESS: setting(wholeNumber(0, 1_000_000), {
      fallback: '5000',
      says: 'Event streams and WebSockets open at a time in an API process',
      readBy: ['api'],
    }),
    STREAMS_PER_USER: setting(wholeNumber(0, 1_000_000), {
      fallback: '1000',
      says: 'Event streams and WebSockets a user may have open at a time',
      readBy: ['api'],
    }),
  },
  'What users may use': {
    LIMITS: setting(oneOf(['none', 'strict']), {
      fallback: 'none',
      says: '`strict` limits all but admins to 5 running and 1,000 waiting jobs, 10,000 pages a day and 100,000 a month, 5,000 MB, priority 5, and 20 requests a second. The settings below win, and `PATCH /users/{id}/limits` over all',
      readBy: ['api'],
    }),
    LIMIT_RUNNING_JOBS: setting(limitByRole(0, 1_000_000), {
      ...OF_THE_PRESET,
      says: 'Jobs of a user that run at a time; others wait. A number is for all but admins; `member:10, admin:50` is per role, `none` no limit. The same for those below',
    }),
    LIMIT_WAITING_JOBS: setting(limitByRole(0, 10_000_000), {
      ...OF_THE_PRESET,
      says: 'Jobs of a user that wait; more are refused with 429',
    }),
    LIMIT_PAGES_PER_DAY: setting(limitByRole(0, 1_000_000_000), {
      ...OF_THE_PRESET,
      says: 'Pages of a user per day (UTC); jobs that need more wait for the next',
      example: 'member:10000, admin:none',
    }),
    LIMIT_PAGES_PER_MONTH: setting(limitByRole(0, 1_000_000_000), {
      ...OF_THE_PRESET,
      says: 'Pages of a user per month (UTC)',
    }),
    LIMIT_STORED_MB: setting(limitByRole(0, 1_000_000_000), {
      ...OF_THE_PRESET,
      unit: 'MB',
      says: "A user's pages, screenshots and PDFs in storage; jobs that need more wait until some are deleted",
    }),
    LIMIT_PRIORITY: setting(limitByRole(0, 9), {
      ...OF_THE_PRESET,
      says: "Highest `priority` of a user's jobs",
    }),
    LIMIT_REQUESTS_PER_SECOND: setting(limitByRole(1, 1_000_000), {
      unset: '`RATE_LIMIT`, or as `LIMITS` says',
      readBy: ['api'],
      says: 'Requests of a user per second, over all API processes',
    }),
  },
  'Database and files': {
    DATA_DIR: setting(text, {
      fallback: './.leadengine',
      says: "Folder of the embedded Postgres, the first admin's API key, the encryption key, artifacts, and clicks while the queue is away",
      readBy: ALL,
    }),
    DATABASE_URL: setting(databaseUrl, {
      unset: 'an embedded Postgres under `DATA_DIR`',
      says: "Your Postgres (15 or newer), as libpq's URLs: `sslmode`, `sslrootcert`, `host` for a socket, several hosts. More in docs/reference/connections.md",
      readBy: ALL,
      example: 'postgres://user:password@host:5432/leadengine?sslmode=verify-full',
      secret: true,
    }),
    ENCRYPTION_KEY: setting(
      listOf(
        z.string().refine((entry) => parseEncryptionKey(entry) !== null, ENCRYPTION_KEY_FORMAT),
      ).transform((entries) => entries.flatMap((entry) => parseEncryptionKey(entry) ?? [])),
      {
        fallback: '',
        unset: 'made on the first start and stored in `DATA_DIR/encryption-key`',
        says: 'Encrypts the secrets of jobs, webhooks and pushes in the database: 32 random bytes as hexadecimal digits or base64 (`openssl rand -hex 32`), the same for every process. Several are separated by commas: the first encrypts, the others still decrypt. More in docs/guide/operations.md',
        readBy: ['start', 'api', 'worker', 'notifier', 'dispatch'],
        secret: true,
      },
    ),
    DATABASE_POOL_SIZE: setting(wholeNumber(2, 200), {
      fallback: '10',
      says: 'Connections to Postgres per process',
      readBy: ALL,
    }),
    ARTIFACTS_URL: setting(artifactsUrl, {
      unset: 'files under `DATA_DIR`; the database if `DATABASE_URL` is set',
      says: 'Where screenshots and PDFs are stored: `file:///folder` or `s3://…`',
      readBy: ['start', 'api', 'worker', 'dispatch'],
      example: 's3://KEY:SECRET@s3.example.com/bucket?region=us-east-1&tls=true',
      secret: true,
    }),
    RETENTION_DAYS: setting(wholeNumber(1, 36_500), {
      fallback: '30',
      unit: 'days',
      says: 'Finished jobs and events are removed after this time',
      readBy: SWEEPERS,
    }),
    AUDIT_RETENTION_DAYS: setting(wholeNumber(1, 36_500), {
      fallback: '365',
      unit: 'days',
      says: 'Entries of the audit log are removed after this time',
      readBy: SWEEPERS,
    }),
    CLICK_SPOOL_MB: setting(wholeNumber(1, 1_000_000), {
      fallback: '1024',
      unit: 'MB',
      says: 'Room below `DATA_DIR`, per API process, for clicks on short links while the queue is away; about 2,000 clicks per MB',
      readBy: ['api'],
    }),
  },
  RabbitMQ: {
    RABBITMQ_URL: setting(amqpUrl, {
      unset: 'the parts below; without RABBITMQ_HOST the queue is in Postgres',
      says: 'Your RabbitMQ (3.10 or newer), `amqp:` or `amqps:`. It wins over the parts',
      readBy: CHILDREN,
      example: 'amqp://user:password@host:5672/vhost',
      secret: true,
    }),
    RABBITMQ_HOST: setting(
      text.regex(
        /^(\[[0-9a-f:.]+\]|[0-9a-f]*:[0-9a-f:.]+|[\w.-]+)$/i,
        'expected a host name or an IP address; the port goes into RABBITMQ_PORT, a URL into RABBITMQ_URL',
      ),
      { unset: 'no RabbitMQ', says: 'Host name or address', readBy: CHILDREN },
    ),
    RABBITMQ_PORT: setting(wholeNumber(1, 65_535), { fallback: '5672', says: 'Port', readBy: CHILDREN }),
    RABBITMQ_USER: setting(verbatim, { fallback: 'guest', says: 'User', readBy: CHILDREN }),
    RABBITMQ_PASSWORD: setting(verbatim, {
      fallback: 'guest',
      says: 'Password, any characters',
      readBy: CHILDREN,
      secret: true,
    }),
    RABBITMQ_VHOST: setting(verbatim, { fallback: '/', says: 'Virtual host', readBy: CHILDREN }),
    RABBITMQ_HEARTBEAT: setting(wholeNumber(1, 3600), {
      fallback: '15',
      unit: 's',
      says: 'Time between heartbeats',
      readBy: CHILDREN,
    }),
    RABBITMQ_CONNECTION_TIMEOUT: setting(wholeNumber(1, 600), {
      fallback: '10',
      unit: 's',
      says: 'Longest time to connect',
      readBy: CHILDREN,
    }),
  },
  'Workers and jobs': {
    WORKERS: setting(wholeNumber(0, 64), {
      fallback: '1',
      says: 'Worker processes that `npm start` runs',
      readBy: ['start'],
    }),
    WORKER_USER: setting(
      text.regex(/^([a-z_][a-z0-9_-]{0,31}|[1-9]\d{0,8})$/, 'expected the name or number of a user, or root'),
      {
        unset: '`leadengine` if there is such a user, else one without a name',
        says: 'As whom workers run if `npm start` is root, because the browser has no sandbox for root; `root` leaves them root',
        readBy: ['start'],
      },
    ),
    WORKER_CONCURRENCY: setting(wholeNumber(1, 256), {
      fallback: '1',
      says: 'Jobs at a time in each worker',
      readBy: ['worker'],
    }),
    SHUTDOWN_GRACE_MS: setting(wholeNumber(0, 3_600_000), {
      fallback: '25000',
      unit: 'ms',
      says: 'Time to finish running work after a stop signal',
      readBy: ['start', 'api', 'worker', 'notifier', 'analytics'],
    }),
    JOB_TIMEOUT_MS: setting(wholeNumber(100, 1_200_000), {
      fallback: '300000',
      unit: 'ms',
      says: 'Longest duration of an attempt',
      readBy: ['worker'],
    }),
    LEASE_MS: setting(wholeNumber(1000, 600_000), {
      fallback: '15000',
      unit: 'ms',
      says: 'A worker that is silent for longer has lost its job',
      readBy: CHILDREN,
    }),
    RETRY_BASE_MS: setting(wholeNumber(1, 3_600_000), {
      fallback: '1000',
      unit: 'ms',
      says: 'First back-off between attempts; it doubles each time',
      readBy: ['api', 'worker', 'dispatch'],
    }),
    RETRY_CAP_MS: setting(wholeNumber(1, 86_400_000), {
      fallback: '300000',
      unit: 'ms',
      says: 'Longest back-off between attempts',
      readBy: ['api', 'worker', 'dispatch'],
    }),
    DISPATCH: setting(oneOf(['api', 'apart']), {
      fallback: 'api',
      says: '`apart` if `npm run dispatch` runs the scheduler, so that API processes do not',
      readBy: ['api'],
    }),
  },
  'Fetching pages': {
    EGRESS_ALLOW: setting(listOf(egressEntry), {
      fallback: '',
      unset: 'the public internet only',
      says: 'Private targets that jobs and webhooks may reach: `host[:port]` or `CIDR[:port]`, separated by commas',
      readBy: ['api', 'worker', 'notifier'],
      example: 'intranet.example:8080,10.1.0.0/16',
    }),
    EGRESS_DENY: setting(listOf(egressDenyEntry), {
      fallback: '',
      unset: 'none',
      says: 'Public targets that jobs and webhooks may not reach, such as your own servers: `host[:port]`, `*.host[:port]` or `CIDR[:port]`, separated by commas. It wins over EGRESS_ALLOW',
      readBy: ['api', 'worker', 'notifier'],
      example: '203.0.113.0/24,*.corp.example.com',
    }),
    CHROMIUM_PATH: setting(text, {
      unset: 'found or installed by the set-up',
      says: 'The browser',
      readBy: ['start', 'worker'],
    }),
    BROWSER_MEMORY_MB: setting(wholeNumber(256, 1_000_000), {
      unset:
        "half of the machine's or container's memory, divided by `WORKERS`; at least 1024, at most 1024 and 1536 per slot",
      unit: 'MB',
      says: "Memory of a worker's browser with all its processes; a page that takes more ends with `page_out_of_memory`",
      readBy: ['worker'],
    }),
    PAGE_TIMEOUT_MS: setting(wholeNumber(100, 600_000), {
      fallback: '30000',
      unit: 'ms',
      says: 'Longest time to load a page',
      readBy: ['worker'],
    }),
    MAX_PAGE_BYTES: setting(wholeNumber(1024, 1_073_741_824), {
      fallback: '20971520',
      unit: 'bytes',
      says: 'A larger page ends with `page_too_large`',
      readBy: ['worker'],
    }),
    MAX_FILE_PAGES: setting(wholeNumber(1, 100_000), {
      fallback: '500',
      says: 'Pages of a PDF, slides or chapters that are read; a longer file is cut, with `page_too_large`',
      readBy: ['worker'],
    }),
    MAX_FILE_ROWS: setting(wholeNumber(1, 1_048_576), {
      fallback: '10000',
      says: 'Rows of a spreadsheet or CSV that are read; a longer file is cut, with `page_too_large`',
      readBy: ['worker'],
    }),
    MAX_UNPACKED_BYTES: setting(wholeNumber(1024, 1_073_741_824), {
      fallback: '104857600',
      unit: 'bytes',
      says: 'What a zipped file such as a DOCX may unpack to; a larger one ends with `page_too_large`',
      readBy: ['worker'],
    }),
    USER_AGENT: setting(text.regex(/^[\x20-\x7e]{1,500}$/, 'expected up to 500 printable ASCII characters'), {
      unset: '`LeadEngine/0.1`; the browser says what it is itself',
      says: "`User-Agent` header; add how to reach you. robots.txt matches its first word that is no browser's",
      readBy: ['worker'],
      example: 'LeadEngine/0.1 (+https://example.com/contact)',
    }),
    PROXY_URLS: setting(listOf(proxyUrl), {
      fallback: '',
      unset: 'none',
      says: 'Proxies for jobs that name none, separated by commas: `http:`, `https:` or `socks5:`, with credentials',
      readBy: ['worker'],
      secret: true,
    }),
    RESPECT_ROBOTS: setting(oneOf(['true', 'false']), {
      fallback: 'true',
      says: '`false` for sites of your own',
      readBy: ['worker'],
    }),
    HOST_CONCURRENCY: setting(wholeNumber(1, 1000), {
      fallback: '8',
      says: 'Pages of one host at a time, over all workers',
      readBy: ['worker'],
    }),
    HOST_GAP_MS: setting(wholeNumber(0, 600_000), {
      fallback: '0',
      unit: 'ms',
      says: 'Time between the starts of two pages of one host, over all workers',
      readBy: ['worker'],
    }),
  },
  'Lead sources': {
    GOOGLE_API_KEY: setting(text, {
      unset: "Google's result page is read",
      says: "Google's Programmable Search; with GOOGLE_CX",
      readBy: ['worker'],
      secret: true,
    }),
    GOOGLE_CX: setting(text, {
      unset: "Google's result page is read",
      says: 'Id of the Programmable Search engine',
      readBy: ['worker'],
    }),
    SEARXNG_URL: setting(web, {
      unset: 'no SearXNG',
      says: 'Your SearXNG, with `json` among its `search.formats`',
      readBy: ['worker'],
      example: 'http://searxng:8080',
    }),
    DIRECTORIES_FILE: setting(text, {
      unset: 'no directories',
      says: 'JSON file that declares directories',
      readBy: ['worker'],
      example: './directories.json',
    }),
    GOOGLE_URL: setting(web, {
      fallback: 'https://www.google.com',
      says: 'Address of Google. An address that you set may be private, for that source only; the same for those below',
      readBy: ['worker'],
    }),
    GOOGLE_API_URL: setting(web, {
      fallback: 'https://customsearch.googleapis.com',
      says: "Address of Google's API",
      readBy: ['worker'],
    }),
    BING_URL: setting(web, { fallback: 'https://www.bing.com', says: 'Address of Bing', readBy: ['worker'] }),
    DUCKDUCKGO_URL: setting(web, {
      fallback: 'https://html.duckduckgo.com',
      says: 'Address of DuckDuckGo',
      readBy: ['worker'],
    }),
    OVERPASS_URL: setting(web, {
      fallback: 'https://overpass-api.de/api/interpreter',
      says: "Address of OpenStreetMap's Overpass API",
      readBy: ['worker'],
    }),
    LINKEDIN_URL: setting(web, {
      fallback: 'https://www.linkedin.com',
      says: 'Address of LinkedIn',
      readBy: ['worker'],
    }),
  },
  Notifications: {
    SMTP_URL: setting(urlOf('smtp:', 'smtps:'), {
      unset: 'no e-mail',
      says: 'Mail server',
      readBy: ['api', 'notifier'],
      example: 'smtp://user:password@mail.example.com:587',
      secret: true,
    }),
    SMTP_FROM: setting(text.max(320), {
      unset: '`leadengine@` the host of `PUBLIC_URL`',
      says: 'Sender of e-mails',
      readBy: ['api', 'notifier'],
      example: 'LeadEngine <leads@example.com>',
    }),
    VAPID_PUBLIC_KEY: setting(base64url(65), {
      unset: 'a pair is generated and stored in the database',
      says: 'Public key of browser pushes',
      readBy: ['api', 'notifier'],
    }),
    VAPID_PRIVATE_KEY: setting(base64url(32), {
      unset: 'a pair is generated and stored in the database',
      says: 'Private key of browser pushes',
      readBy: ['api', 'notifier'],
      secret: true,
    }),
    VAPID_SUBJECT: setting(urlOf('mailto:', 'https:'), {
      unset: '`PUBLIC_URL` if that is `https:`',
      says: 'Contact for push services',
      readBy: ['notifier'],
      example: 'mailto:you@example.com',
    }),
    NOTIFY_MAX_ATTEMPTS: setting(wholeNumber(1, 100), {
      fallback: '3',
      says: 'Attempts per e-mail or push',
      readBy: ['notifier'],
    }),
    NOTIFY_RETRY_BASE_MS: setting(wholeNumber(1, 3_600_000), {
      fallback: '5000',
      unit: 'ms',
      says: 'First back-off of an e-mail or push',
      readBy: ['notifier'],
    }),
    NOTIFY_CONCURRENCY: setting(wholeNumber(1, 256), {
      fallback: '8',
      says: 'Pushes and webhooks a notifier sends at a time, each',
      readBy: ['notifier'],
    }),
    WEBHOOK_MAX_ATTEMPTS: setting(wholeNumber(1, 100), {
      fallback: '12',
      says: 'Attempts per webhook message: some hours',
      readBy: ['notifier'],
    }),
    WEBHOOK_RETRY_BASE_MS: setting(wholeNumber(1, 3_600_000), {
      fallback: '20000',
      unit: 'ms',
      says: 'First back-off of a webhook message',
      readBy: ['notifier'],
    }),
    WEBHOOK_PAUSE_AFTER_HOURS: setting(wholeNumber(0, 8760), {
      fallback: '72',
      unit: 'hours',
      says: 'An endpoint that has failed for this long is paused',
      readBy: ['notifier'],
    }),
    EMAIL_DIGEST_SECONDS: setting(wholeNumber(0, 86_400), {
      fallback: '60',
      unit: 's',
      says: 'Time between two e-mails to an address; what comes in between goes together',
      readBy: ['api', 'notifier', 'dispatch'],
    }),
  },
  MCP: {
    LEADENGINE_URL: setting(publicUrl, {
      unset: '`http://127.0.0.1:3000`',
      says: 'Base URL of the API that the MCP server over standard input and output talks to',
      readBy: ['mcp'],
      example: 'https://leads.example.com',
    }),
    LEADENGINE_API_KEY: setting(text.regex(/^[\x21-\x7e]{1,200}$/, 'expected an API key'), {
      unset: 'without `LEADENGINE_URL`, the key in `DATA_DIR/api-key`',
      says: 'API key for it',
      readBy: ['mcp'],
      secret: true,
    }),
  },
  Logs: {
    LOG_LEVEL: setting(oneOf(['error', 'warn', 'info', 'debug']), {
      fallback: 'info',
      says: '`error`, `warn`, `info` or `debug`',
      readBy: ALL,
    }),
    LOG_FORMAT: setting(oneOf(['json', 'pretty']), {
      fallback: 'json',
      says: '`json` or `pretty`; on a terminal `npm start` is pretty',
      readBy: ALL,
    }),
  },
} as const;

export const SETTINGS = {
  ...SETTING_GROUPS['Where the API listens'],
  ...SETTING_GROUPS['What users may use'],
  ...SETTING_GROUPS['Database and files'],
  ...SETTING_GROUPS.RabbitMQ,
  ...SETTING_GROUPS['Workers and jobs'],
  ...SETTING_GROUPS['Fetching pages'],
  ...SETTING_GROUPS['Lead sources'],
  ...SETTING_GROUPS.Notifications,
  ...SETTING_GROUPS.MCP,
  ...SETTING_GROUPS.Logs,
};

export type SettingName = keyof typeof SETTINGS;
export type SettingValues = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends { fallback: string }
    ? z.output<(typeof SETTINGS)[Name]['type']>
    : z.output<(typeof SETTINGS)[Name]['type']> | undefined;
};

/** A setting for code that iterates over all of them. */
export interface Setting extends Details {
  type: z.ZodType<unknown, string>;
}
export const settingsOf = (group: Record<string, Setting>): [SettingName, Setting][] =>
  Object.entries(group) as [SettingName, Setting][];

function isRange(entry: string): boolean {
  if (entry === 'none') return true;
  try {
    return parseRange(entry) !== null;
  } catch {
    return false;
  }
}

function isOrigin(entry: string): boolean {
  if (entry === '*') return true;
  const url = /^https?:\/\//i.test(entry) ? parseUrl(entry) : null;
  if (!url) return false;
  const { pathname, search, hash, username, password } = url;
  return pathname === '/' && `${search}${hash}${username}${password}` === '';
}
