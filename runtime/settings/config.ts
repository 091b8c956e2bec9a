import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Limits } from '../../core/accounts/limits.ts';
import { OperatorError } from '../operator-error.ts';
import { readEnvFile } from './env-file.ts';
import { limitsOf } from './limits.ts';
import { nearMisses } from './near-misses.ts';
import { SETTINGS, type SettingName, type SettingValues, settingsOf } from './settings.ts';

/**
 * The one reader of the environment. `.env` in the working directory is read first; the real
 * environment wins. A wrong value throws `ConfigError`, whose message is the one line a user sees.
 */
export function loadConfig(): Config {
  for (const [name, value] of Object.entries(readEnvFile('.env'))) process.env[name] ??= value;
  return parseConfig(process.env);
}

/** Sets `os.tmpdir()` for this process and its children. */
export function setTempFolder(path: string): void {
  process.env.TMPDIR = path;
}

/** The part of this process's environment that a child program may see. */
export const inheritedEnvironment = (isAllowed: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && isAllowed(name) ? [[name, value] as const] : [],
    ),
  );

/** Variables of the environment that are probably misspelt settings, one line each. */
export const misspeltSettings = (): string[] =>
  nearMisses(Object.keys(process.env), Object.keys(SETTINGS)).map(
    ({ name, meant }) => `configuration: there is no setting ${name}: ${meant} may be meant`,
  );

export class ConfigError extends OperatorError {}

/** @throws ConfigError naming every variable that does not fit and what was expected of it */
export function parseConfig(environment: Record<string, string | undefined>): Config {
  // An empty value is an unset one: compose files and CI systems pass `NAME=` for "none".
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const v = parseSettings(given);
  return {
    port: v.PORT,
    host: v.HOST,
    dataDir: resolve(v.DATA_DIR),
    databaseUrl: v.DATABASE_URL,
    databasePoolSize: v.DATABASE_POOL_SIZE,
    encryption: { keys: v.ENCRYPTION_KEY, dataDir: resolve(v.DATA_DIR) },
    rabbitmq: rabbitmqOf(v),
    workers: v.WORKERS,
    workerUser: v.WORKER_USER,
    workerConcurrency: v.WORKER_CONCURRENCY,
    shutdownGraceMs: v.SHUTDOWN_GRACE_MS,
    jobTimeoutMs: v.JOB_TIMEOUT_MS,
    leaseMs: v.LEASE_MS,
    retry: { baseMs: v.RETRY_BASE_MS, capMs: v.RETRY_CAP_MS },
    bootstrapApiKey: v.BOOTSTRAP_API_KEY,
    egressAllow: v.EGRESS_ALLOW,
    egressDeny: v.EGRESS_DENY,
    chromiumPath: v.CHROMIUM_PATH,
    browserMemoryBytes:
      v.BROWSER_MEMORY_MB === undefined
        ? browserMemoryBytes({ workers: v.WORKERS, slots: v.WORKER_CONCURRENCY }, machineMemory())
        : v.BROWSER_MEMORY_MB * MB,
    sources: sourcesOf(v),
    sourceEndpoints: sourceEndpointsOf(v, given),
    directoriesFile: v.DIRECTORIES_FILE && resolve(v.DIRECTORIES_FILE),
    pageTimeoutMs: v.PAGE_TIMEOUT_MS,
    maxPageBytes: v.MAX_PAGE_BYTES,
    fileLimits: { pages: v.MAX_FILE_PAGES, rows: v.MAX_FILE_ROWS, unpackedBytes: v.MAX_UNPACKED_BYTES },
    userAgent: v.USER_AGENT ?? DEFAULT_USER_AGENT,
    browserUserAgent: v.USER_AGENT,
    proxyUrls: v.PROXY_URLS,
    artifactsUrl: v.ARTIFACTS_URL ?? (v.DATABASE_URL ? undefined : folderUrl(v.DATA_DIR)),
    respectRobots: v.RESPECT_ROBOTS === 'true',
    hostConcurrency: v.HOST_CONCURRENCY,
    hostGapMs: v.HOST_GAP_MS,
    rateLimit: v.RATE_LIMIT,
    limitsByRole: limitsOf(v),
    trustedProxies: v.TRUSTED_PROXIES,
    corsOrigins: v.CORS_ORIGINS,
    streams: { perProcess: v.STREAMS_PER_PROCESS, perUser: v.STREAMS_PER_USER },
    retentionDays: v.RETENTION_DAYS,
    auditRetentionDays: v.AUDIT_RETENTION_DAYS,
    clickSpoolBytes: v.CLICK_SPOOL_MB * 1024 * 1024,
    dispatchInApi: v.DISPATCH === 'api',
    publicUrl: (v.PUBLIC_URL ?? `http://${urlHost(reachable(v.HOST))}:${v.PORT}`).replace(/\/+$/, ''),
    mcp: {
      url: (v.LEADENGINE_URL ?? 'http://127.0.0.1:3000').replace(/\/+$/, ''),
      key: v.LEADENGINE_API_KEY,
      isLocal: v.LEADENGINE_URL === undefined,
    },
    notify: notifyOf(v),
    logLevel: v.LOG_LEVEL,
    logFormat: v.LOG_FORMAT,
  };
}

const MB = 1024 * 1024;

/** The rest is for Postgres, the other processes and the page cache. */
export function browserMemoryBytes(
  { workers, slots }: { workers: number; slots: number },
  machineBytes: number,
): number {
  const share = machineBytes / 2 / Math.max(1, workers);
  return Math.round(Math.min(Math.max(share, 1024 * MB), (1024 + 1536 * slots) * MB));
}

/** The container's limit, if it has one. */
function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function parseSettings(given: Record<string, string | undefined>): SettingValues {
  const problems: string[] = [];
  const values = settingsOf(SETTINGS).map(([name, { type, fallback }]): [SettingName, unknown] => {
    const value = given[name] ?? fallback;
    if (value === undefined) return [name, undefined];
    const parsed = type.safeParse(value);
    if (parsed.success) return [name, parsed.data];
    problems.push(`${name}: ${parsed.error.issues[0]?.message}`);
    return [name, undefined];
  });
  if (problems.length > 0) throw new ConfigError(`configuration: ${problems.join('; ')}`);
  return Object.fromEntries(values) as unknown as SettingValues;
}

export interface Config {
  port: number;
  host: string;
  /** Absolute path. */
  dataDir: string;
  /** Undefined: the embedded Postgres under `dataDir`. */
  databaseUrl: string | undefined;
  databasePoolSize: number;
  /** Keys of `ENCRYPTION_KEY`, the first one encrypts; none: those in a file below `dataDir`. */
  encryption: { keys: readonly Buffer[]; dataDir: string };
  /** Undefined: the embedded queue, in Postgres. */
  rabbitmq: { url: string; heartbeatSeconds: number; connectionTimeoutMs: number } | undefined;
  workers: number;
  /** Name or number of the user; undefined: chosen by the supervisor. */
  workerUser: string | undefined;
  workerConcurrency: number;
  shutdownGraceMs: number;
  jobTimeoutMs: number;
  leaseMs: number;
  retry: { baseMs: number; capMs: number };
  bootstrapApiKey: string | undefined;
  /** Unparsed entries `host[:port]` or `CIDR[:port]`; the egress guard parses them. */
  egressAllow: string[];
  /** The same, and `*.host`. */
  egressDeny: string[];
  chromiumPath: string | undefined;
  /** Limit for the memory of one worker's browser. */
  browserMemoryBytes: number;
  sources: LeadSources;
  /**
   * `host:port` of sources that the operator set: also private ones are reachable, for the sources
   * only.
   */
  sourceEndpoints: string[];
  directoriesFile: string | undefined;
  pageTimeoutMs: number;
  maxPageBytes: number;
  /** For one file that is read as a page. */
  fileLimits: { pages: number; rows: number; unpackedBytes: number };
  /** `User-Agent` of plain HTTP requests. */
  userAgent: string;
  /** Undefined: the browser's own `User-Agent`. */
  browserUserAgent: string | undefined;
  /** For jobs that name no proxy of their own. */
  proxyUrls: string[];
  /**
   * `file:` or `s3:`; undefined: artifacts are in the database, which every process of a fleet
   * reaches.
   */
  artifactsUrl: string | undefined;
  /** False for the operator's own sites. */
  respectRobots: boolean;
  /** Pages of a host at the same time, over all workers. */
  hostConcurrency: number;
  /** Time between the starts of two pages of a host. */
  hostGapMs: number;
  /** Requests per user and second. */
  rateLimit: number;
  /** Of users without limits of their own. */
  limitsByRole: Record<string, Limits>;
  /** Addresses and ranges of proxies whose forwarding headers are trusted. */
  trustedProxies: string[];
  /** `*`, or the origins whose pages may call the API from browsers. */
  corsOrigins: string[];
  /** Streams of events, Server-Sent Events and WebSockets together, open at a time. */
  streams: { perProcess: number; perUser: number };
  retentionDays: number;
  auditRetentionDays: number;
  /** Disk space per API process for clicks that the queue does not take. */
  clickSpoolBytes: number;
  /** Whether API processes run the dispatch loops; false if `npm run dispatch` does. */
  dispatchInApi: boolean;
  /** Where users reach the API, for links; without a slash at its end. */
  publicUrl: string;
  /** Of the MCP server over standard input and output; `isLocal` if no URL is set. */
  mcp: { url: string; key: string | undefined; isLocal: boolean };
  notify: NotifyConfig;
  logLevel: LogLevel;
  logFormat: 'json' | 'pretty';
}

/** Addresses and credentials of lead sources. */
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
  /** Undefined: a pair is generated once and stored in the database. */
  vapid: { publicKey: string; privateKey: string } | undefined;
  /** `mailto:` or `https:`: the contact for push services. */
  vapidSubject: string;
  /** Of e-mails and pushes. */
  attempts: number;
  retry: { baseMs: number; capMs: number };
  webhookAttempts: number;
  webhookRetry: { baseMs: number; capMs: number };
  webhookPauseAfterMs: number;
  /** Pushes, and webhooks, sent at the same time. */
  concurrency: number;
  mailPace: { gatherMs: number; apartMs: number; urgentApartMs: number };
}

export type LogLevel = SettingValues['LOG_LEVEL'];

const DEFAULT_USER_AGENT = 'LeadEngine/0.1';

const folderUrl = (dataDir: string) => pathToFileURL(resolve(dataDir, 'artifacts')).href;

const SOURCE_URLS = [
  'GOOGLE_URL',
  'GOOGLE_API_URL',
  'BING_URL',
  'DUCKDUCKGO_URL',
  'SEARXNG_URL',
  'OVERPASS_URL',
  'LINKEDIN_URL',
] as const;

function sourcesOf(v: SettingValues): LeadSources {
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

const sourceEndpointsOf = (v: SettingValues, given: Record<string, string | undefined>) =>
  SOURCE_URLS.flatMap((name) => (given[name] && v[name] ? [authorityOf(v[name])] : []));

/** `host:port`, with the default port if the URL has none. */
function authorityOf(address: string): string {
  const { hostname, port, protocol } = new URL(address);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

/** The wildcard address is reachable on this machine by loopback. */
const reachable = (host: string): string => (host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host);

const urlHost = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

function notifyOf(v: SettingValues): NotifyConfig {
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

/** A mail waits this long for notifications to the same address. */
const GATHER_MS = 5000;
const URGENT_APART_MS = 15_000;

function rabbitmqOf(v: SettingValues): Config['rabbitmq'] {
  const tuning = {
    heartbeatSeconds: v.RABBITMQ_HEARTBEAT,
    connectionTimeoutMs: v.RABBITMQ_CONNECTION_TIMEOUT * 1000,
  };
  if (v.RABBITMQ_URL) return { url: v.RABBITMQ_URL, ...tuning };
  if (!v.RABBITMQ_HOST) return undefined;
  const credentials = `${encodeURIComponent(v.RABBITMQ_USER)}:${encodeURIComponent(v.RABBITMQ_PASSWORD)}`;
  const vhost = encodeURIComponent(v.RABBITMQ_VHOST);
  return { url: `amqp://${credentials}@${urlHost(v.RABBITMQ_HOST)}:${v.RABBITMQ_PORT}/${vhost}`, ...tuning };
}
