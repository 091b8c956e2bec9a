import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { config as readDotEnv } from 'dotenv';
import { z } from 'zod';
import { proxyUrl } from '../core/jobs/job-schemas.ts';
import { Complaint } from './operator-error.ts';

/**
 * The one reader of the environment. `.env` in the working directory is read first; the real environment wins. A wrong
 * value throws `ConfigError`, whose message is the one line a user sees.
 */
export function loadConfig(): Config {
  readDotEnv({ quiet: true });
  return parseConfig(process.env);
}

/** What `os.tmpdir()` gives from now on, here and in the processes that this one starts. */
export function setTempFolder(path: string): void {
  process.env.TMPDIR = path;
}

/** The part of this process's environment that a program it starts may see. */
export const inheritedEnvironment = (isAllowed: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && isAllowed(name) ? [[name, value] as const] : [],
    ),
  );

export class ConfigError extends Complaint {}

/** @throws ConfigError naming every variable that does not fit and what was expected of it */
export function parseConfig(environment: Record<string, string | undefined>): Config {
  // An empty value is an unset one: compose files and CI systems pass `NAME=` for "none".
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const parsed = variables.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`configuration: ${problems.join('; ')}`);
  }
  const v = parsed.data;
  return {
    port: v.PORT,
    host: v.HOST,
    dataDir: resolve(v.DATA_DIR),
    databaseUrl: v.DATABASE_URL,
    databasePoolSize: v.DATABASE_POOL_SIZE,
    rabbitmq: rabbitmqOf(v),
    workers: v.WORKERS,
    workerConcurrency: v.WORKER_CONCURRENCY,
    shutdownGraceMs: v.SHUTDOWN_GRACE_MS,
    jobTimeoutMs: v.JOB_TIMEOUT_MS,
    leaseMs: v.LEASE_MS,
    retry: { baseMs: v.RETRY_BASE_MS, capMs: v.RETRY_CAP_MS },
    bootstrapApiKey: v.BOOTSTRAP_API_KEY,
    egressAllow: v.EGRESS_ALLOW,
    chromiumPath: v.CHROMIUM_PATH,
    sources: sourcesOf(v),
    sourceEndpoints: sourceEndpointsOf(v, given),
    directoriesFile: v.DIRECTORIES_FILE && resolve(v.DIRECTORIES_FILE),
    pageTimeoutMs: v.PAGE_TIMEOUT_MS,
    maxPageBytes: v.MAX_PAGE_BYTES,
    userAgent: v.USER_AGENT ?? DEFAULT_USER_AGENT,
    browserUserAgent: v.USER_AGENT,
    proxyUrls: v.PROXY_URLS,
    artifactsUrl: v.ARTIFACTS_URL ?? (v.DATABASE_URL ? undefined : folderUrl(v.DATA_DIR)),
    respectRobots: v.RESPECT_ROBOTS === 'true',
    hostConcurrency: v.HOST_CONCURRENCY,
    hostGapMs: v.HOST_GAP_MS,
    rateLimit: v.RATE_LIMIT,
    streams: { perProcess: v.STREAMS_PER_PROCESS, perUser: v.STREAMS_PER_USER },
    retentionDays: v.RETENTION_DAYS,
    clickSpoolBytes: v.CLICK_SPOOL_MB * 1024 * 1024,
    dispatchInApi: v.DISPATCH === 'api',
    publicUrl: (v.PUBLIC_URL ?? `http://${urlHost(v.HOST)}:${v.PORT}`).replace(/\/+$/, ''),
    notify: notifyOf(v),
    logLevel: v.LOG_LEVEL,
    logFormat: v.LOG_FORMAT,
  };
}

export interface Config {
  port: number;
  host: string;
  /** Absolute path. */
  dataDir: string;
  /** Undefined: the embedded Postgres under `dataDir`. */
  databaseUrl: string | undefined;
  databasePoolSize: number;
  /** Undefined: the embedded queue, in Postgres. */
  rabbitmq: { url: string; heartbeatSeconds: number; connectionTimeoutMs: number } | undefined;
  workers: number;
  workerConcurrency: number;
  shutdownGraceMs: number;
  jobTimeoutMs: number;
  leaseMs: number;
  retry: { baseMs: number; capMs: number };
  bootstrapApiKey: string | undefined;
  /** Raw entries `host[:port]` or `CIDR[:port]`; the egress guard parses them. */
  egressAllow: string[];
  chromiumPath: string | undefined;
  sources: LeadSources;
  /** `host:port` of the sources the operator set: they may be reached wherever they are, by the sources alone. */
  sourceEndpoints: string[];
  directoriesFile: string | undefined;
  pageTimeoutMs: number;
  maxPageBytes: number;
  /** What plain HTTP says of who asks. */
  userAgent: string;
  /** Undefined: what the browser says of itself. */
  browserUserAgent: string | undefined;
  /** For jobs that name no proxy of their own. */
  proxyUrls: string[];
  /** `file:` or `s3:`; undefined: artifacts lie in the database, which every process of a fleet reaches. */
  artifactsUrl: string | undefined;
  /** False for sites of one's own. */
  respectRobots: boolean;
  /** Pages of a host at the same time, over all workers. */
  hostConcurrency: number;
  /** Between the starts of two pages of a host. */
  hostGapMs: number;
  /** Requests a second and user. */
  rateLimit: number;
  /** Streams of events, Server-Sent Events and WebSockets together, open at a time. */
  streams: { perProcess: number; perUser: number };
  retentionDays: number;
  /** Room on the disk for clicks that the queue does not take, of each API process. */
  clickSpoolBytes: number;
  /** Whether API processes also run the sweeps; off where `npm run dispatch` does. */
  dispatchInApi: boolean;
  /** Where users reach the API, for links; without a slash at its end. */
  publicUrl: string;
  notify: NotifyConfig;
  logLevel: LogLevel;
  logFormat: 'json' | 'pretty';
}

/** Where leads are looked for. */
export interface LeadSources {
  googleUrl: string;
  googleApiUrl: string;
  googleApiKey: string | undefined;
  googleCx: string | undefined;
  bingUrl: string;
  duckDuckGoUrl: string;
  searxngUrl: string | undefined;
  overpassUrl: string;
  linkedinUrl: string;
}

export interface NotifyConfig {
  /** Undefined: no e-mail. */
  smtpUrl: string | undefined;
  smtpFrom: string | undefined;
  /** Undefined: a pair is made once and kept in the database. */
  vapid: { publicKey: string; privateKey: string } | undefined;
  /** `mailto:` or `https:`: whom a push service asks when something is wrong. */
  vapidSubject: string;
  /** E-mail and push. */
  attempts: number;
  retry: { baseMs: number; capMs: number };
  webhookAttempts: number;
  webhookRetry: { baseMs: number; capMs: number };
  webhookPauseAfterMs: number;
  /** Pushes and webhooks under way at the same time. */
  concurrency: number;
  mailPace: { gatherMs: number; apartMs: number; urgentApartMs: number };
}

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const wholeNumber = (min: number, max: number) => {
  const expected = `expected a whole number from ${min} to ${max}`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,12}$/, expected)
    .transform(Number)
    .pipe(z.number().min(min, expected).max(max, expected));
};

const urlOf = (...protocols: string[]) =>
  z
    .string()
    .trim()
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      `expected a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );

const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `expected one of ${values.join(', ')}`);

const base64url = (bytes: number) =>
  z
    .string()
    .trim()
    .refine(
      (value) => /^[A-Za-z0-9_-]+$/.test(value) && Buffer.from(value, 'base64url').length === bytes,
      `expected ${bytes} bytes as base64url`,
    );

/** The shape only; the egress guard knows which addresses there are. */
const EGRESS_ENTRY =
  /^(\[[0-9a-f:.]+\](\/\d{1,3})?|[^\s:/[\]]+(\/\d{1,2})?)(:\d{1,5})?$|^[0-9a-f:.]+(\/\d{1,3})?$/i;

const DEFAULT_USER_AGENT = 'LeadEngine/0.1';

const folderUrl = (dataDir: string) => pathToFileURL(resolve(dataDir, 'artifacts')).href;

function isArtifactsUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  if (url.protocol === 'file:') return url.host === '' && url.pathname !== '/';
  const known = [...url.searchParams.keys()].every((name) => name === 'region' || name === 'tls');
  const tls = url.searchParams.get('tls') ?? 'true';
  return (
    url.protocol === 's3:' &&
    url.hostname !== '' &&
    url.username !== '' &&
    url.password !== '' &&
    /^\/[^/]/.test(url.pathname) &&
    known &&
    ['true', 'false'].includes(tls)
  );
}

const variables = z.object({
  PORT: wholeNumber(0, 65_535).default(3000),
  HOST: z.string().trim().default('127.0.0.1'),
  DATA_DIR: z.string().trim().default('./.leadengine'),
  DATABASE_URL: urlOf('postgres:', 'postgresql:').optional(),
  DATABASE_POOL_SIZE: wholeNumber(2, 200).default(10),
  RABBITMQ_URL: urlOf('amqp:', 'amqps:').optional(),
  RABBITMQ_HOST: z.string().trim().optional(),
  RABBITMQ_PORT: wholeNumber(1, 65_535).default(5672),
  RABBITMQ_USER: z.string().default('guest'),
  RABBITMQ_PASSWORD: z.string().default('guest'),
  RABBITMQ_VHOST: z.string().default('/'),
  RABBITMQ_HEARTBEAT: wholeNumber(1, 3600).default(15),
  RABBITMQ_CONNECTION_TIMEOUT: wholeNumber(1, 600).default(10),
  WORKERS: wholeNumber(0, 64).default(1),
  WORKER_CONCURRENCY: wholeNumber(1, 256).default(1),
  SHUTDOWN_GRACE_MS: wholeNumber(0, 3_600_000).default(25_000),
  JOB_TIMEOUT_MS: wholeNumber(100, 1_200_000).default(300_000),
  LEASE_MS: wholeNumber(1000, 600_000).default(15_000),
  RETRY_BASE_MS: wholeNumber(1, 3_600_000).default(1000),
  RETRY_CAP_MS: wholeNumber(1, 86_400_000).default(300_000),
  BOOTSTRAP_API_KEY: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{1,200}$/, 'expected 1 to 200 printable ASCII characters without spaces')
    .optional(),
  EGRESS_ALLOW: z
    .string()
    .default('')
    .transform((value) => value.split(/[\s,]+/).filter(Boolean))
    .pipe(
      z.array(z.string().regex(EGRESS_ENTRY, 'expected host[:port] or CIDR[:port], separated by commas')),
    ),
  CHROMIUM_PATH: z.string().trim().optional(),
  GOOGLE_URL: urlOf('https:', 'http:').default('https://www.google.com'),
  GOOGLE_API_URL: urlOf('https:', 'http:').default('https://customsearch.googleapis.com'),
  GOOGLE_API_KEY: z.string().trim().optional(),
  GOOGLE_CX: z.string().trim().optional(),
  BING_URL: urlOf('https:', 'http:').default('https://www.bing.com'),
  DUCKDUCKGO_URL: urlOf('https:', 'http:').default('https://html.duckduckgo.com'),
  SEARXNG_URL: urlOf('https:', 'http:').optional(),
  OVERPASS_URL: urlOf('https:', 'http:').default('https://overpass-api.de/api/interpreter'),
  LINKEDIN_URL: urlOf('https:', 'http:').default('https://www.linkedin.com'),
  DIRECTORIES_FILE: z.string().trim().optional(),
  PAGE_TIMEOUT_MS: wholeNumber(100, 600_000).default(30_000),
  MAX_PAGE_BYTES: wholeNumber(1024, 1_073_741_824).default(20_971_520),
  USER_AGENT: z
    .string()
    .trim()
    .regex(/^[\x20-\x7e]{1,500}$/, 'expected up to 500 printable ASCII characters')
    .optional(),
  PROXY_URLS: z
    .string()
    .default('')
    .transform((value) => value.split(/[\s,]+/).filter(Boolean))
    .pipe(z.array(proxyUrl)),
  ARTIFACTS_URL: z
    .string()
    .trim()
    .refine(
      isArtifactsUrl,
      'expected file:///folder or s3://KEY:SECRET@host:port/bucket?region=…&tls=true|false',
    )
    .optional(),
  RESPECT_ROBOTS: oneOf(['true', 'false']).default('true'),
  HOST_CONCURRENCY: wholeNumber(1, 1000).default(8),
  HOST_GAP_MS: wholeNumber(0, 600_000).default(0),
  RATE_LIMIT: wholeNumber(1, 1_000_000).default(10_000),
  STREAMS_PER_PROCESS: wholeNumber(0, 1_000_000).default(5000),
  STREAMS_PER_USER: wholeNumber(0, 1_000_000).default(1000),
  RETENTION_DAYS: wholeNumber(1, 36_500).default(30),
  CLICK_SPOOL_MB: wholeNumber(1, 1_000_000).default(1024),
  DISPATCH: oneOf(['api', 'apart']).default('api'),
  PUBLIC_URL: urlOf('http:', 'https:').optional(),
  SMTP_URL: urlOf('smtp:', 'smtps:').optional(),
  SMTP_FROM: z.string().trim().max(320).optional(),
  VAPID_PUBLIC_KEY: base64url(65).optional(),
  VAPID_PRIVATE_KEY: base64url(32).optional(),
  VAPID_SUBJECT: urlOf('mailto:', 'https:').optional(),
  NOTIFY_MAX_ATTEMPTS: wholeNumber(1, 100).default(3),
  NOTIFY_RETRY_BASE_MS: wholeNumber(1, 3_600_000).default(5000),
  NOTIFY_CONCURRENCY: wholeNumber(1, 256).default(8),
  WEBHOOK_MAX_ATTEMPTS: wholeNumber(1, 100).default(12),
  WEBHOOK_RETRY_BASE_MS: wholeNumber(1, 3_600_000).default(20_000),
  WEBHOOK_PAUSE_AFTER_HOURS: wholeNumber(0, 8760).default(72),
  EMAIL_DIGEST_SECONDS: wholeNumber(0, 86_400).default(60),
  LOG_LEVEL: oneOf(LOG_LEVELS).default('info'),
  LOG_FORMAT: oneOf(['json', 'pretty']).default('json'),
});

const SOURCE_URLS = [
  'GOOGLE_URL',
  'GOOGLE_API_URL',
  'BING_URL',
  'DUCKDUCKGO_URL',
  'SEARXNG_URL',
  'OVERPASS_URL',
  'LINKEDIN_URL',
] as const;

function sourcesOf(v: z.infer<typeof variables>): LeadSources {
  return {
    googleUrl: v.GOOGLE_URL,
    googleApiUrl: v.GOOGLE_API_URL,
    googleApiKey: v.GOOGLE_API_KEY,
    googleCx: v.GOOGLE_CX,
    bingUrl: v.BING_URL,
    duckDuckGoUrl: v.DUCKDUCKGO_URL,
    searxngUrl: v.SEARXNG_URL,
    overpassUrl: v.OVERPASS_URL,
    linkedinUrl: v.LINKEDIN_URL,
  };
}

const sourceEndpointsOf = (v: z.infer<typeof variables>, given: Record<string, string | undefined>) =>
  SOURCE_URLS.flatMap((name) => (given[name] && v[name] ? [authorityOf(v[name])] : []));

/** `host:port`, the port also where the URL leaves it out. */
function authorityOf(address: string): string {
  const { hostname, port, protocol } = new URL(address);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

/** An address that listens everywhere is reached on this machine by loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function notifyOf(v: z.infer<typeof variables>): NotifyConfig {
  if (Boolean(v.VAPID_PUBLIC_KEY) !== Boolean(v.VAPID_PRIVATE_KEY)) {
    throw new ConfigError('configuration: VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY: expected both or neither');
  }
  const apartMs = v.EMAIL_DIGEST_SECONDS * 1000;
  return {
    smtpUrl: v.SMTP_URL,
    smtpFrom: v.SMTP_FROM,
    vapid:
      v.VAPID_PUBLIC_KEY && v.VAPID_PRIVATE_KEY
        ? { publicKey: v.VAPID_PUBLIC_KEY, privateKey: v.VAPID_PRIVATE_KEY }
        : undefined,
    vapidSubject:
      v.VAPID_SUBJECT ?? (v.PUBLIC_URL?.startsWith('https:') ? v.PUBLIC_URL : 'mailto:admin@localhost'),
    attempts: v.NOTIFY_MAX_ATTEMPTS,
    retry: { baseMs: v.NOTIFY_RETRY_BASE_MS, capMs: 3_600_000 },
    webhookAttempts: v.WEBHOOK_MAX_ATTEMPTS,
    webhookRetry: { baseMs: v.WEBHOOK_RETRY_BASE_MS, capMs: 6 * 3_600_000 },
    webhookPauseAfterMs: v.WEBHOOK_PAUSE_AFTER_HOURS * 3_600_000,
    concurrency: v.NOTIFY_CONCURRENCY,
    mailPace: {
      gatherMs: Math.min(GATHER_MS, apartMs),
      apartMs,
      urgentApartMs: Math.min(URGENT_APART_MS, apartMs),
    },
  };
}

/** A mail waits so long for others that belong with it. */
const GATHER_MS = 5000;
const URGENT_APART_MS = 15_000;

function rabbitmqOf(v: z.infer<typeof variables>): Config['rabbitmq'] {
  const tuning = {
    heartbeatSeconds: v.RABBITMQ_HEARTBEAT,
    connectionTimeoutMs: v.RABBITMQ_CONNECTION_TIMEOUT * 1000,
  };
  if (v.RABBITMQ_URL) return { url: v.RABBITMQ_URL, ...tuning };
  if (!v.RABBITMQ_HOST) return undefined;
  const credentials = `${encodeURIComponent(v.RABBITMQ_USER)}:${encodeURIComponent(v.RABBITMQ_PASSWORD)}`;
  const vhost = encodeURIComponent(v.RABBITMQ_VHOST);
  return { url: `amqp://${credentials}@${v.RABBITMQ_HOST}:${v.RABBITMQ_PORT}/${vhost}`, ...tuning };
}
