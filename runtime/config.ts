import { resolve } from 'node:path';
import { config as readDotEnv } from 'dotenv';
import { z } from 'zod';
import { Complaint } from './complaint.ts';

/**
 * The one reader of the environment. `.env` in the working directory is read first; the real environment wins. A wrong
 * value throws `ConfigError`, whose message is the one line a user sees.
 */
export function loadConfig(): Config {
  readDotEnv({ quiet: true });
  return parseConfig(process.env);
}

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
    pageTimeoutMs: v.PAGE_TIMEOUT_MS,
    maxPageBytes: v.MAX_PAGE_BYTES,
    rateLimit: v.RATE_LIMIT,
    streams: { perProcess: v.STREAMS_PER_PROCESS, perUser: v.STREAMS_PER_USER },
    retentionDays: v.RETENTION_DAYS,
    dispatchInApi: v.DISPATCH === 'api',
    publicUrl: (v.PUBLIC_URL ?? `http://${urlHost(v.HOST)}:${v.PORT}`).replace(/\/+$/, ''),
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
  pageTimeoutMs: number;
  maxPageBytes: number;
  /** Requests a second and user. */
  rateLimit: number;
  /** Streams of events, Server-Sent Events and WebSockets together, open at a time. */
  streams: { perProcess: number; perUser: number };
  retentionDays: number;
  /** Whether API processes also run the sweeps; off where `npm run dispatch` does. */
  dispatchInApi: boolean;
  /** Where users reach the API, for links; without a slash at its end. */
  publicUrl: string;
  logLevel: LogLevel;
  logFormat: 'json' | 'pretty';
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

/** The shape only; the egress guard knows which addresses there are. */
const EGRESS_ENTRY =
  /^(\[[0-9a-f:.]+\](\/\d{1,3})?|[^\s:/[\]]+(\/\d{1,2})?)(:\d{1,5})?$|^[0-9a-f:.]+(\/\d{1,3})?$/i;

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
  PAGE_TIMEOUT_MS: wholeNumber(100, 600_000).default(30_000),
  MAX_PAGE_BYTES: wholeNumber(1024, 1_073_741_824).default(20_971_520),
  RATE_LIMIT: wholeNumber(1, 1_000_000).default(10_000),
  STREAMS_PER_PROCESS: wholeNumber(0, 1_000_000).default(5000),
  STREAMS_PER_USER: wholeNumber(0, 1_000_000).default(1000),
  RETENTION_DAYS: wholeNumber(1, 36_500).default(30),
  DISPATCH: oneOf(['api', 'apart']).default('api'),
  PUBLIC_URL: urlOf('http:', 'https:').optional(),
  LOG_LEVEL: oneOf(LOG_LEVELS).default('info'),
  LOG_FORMAT: oneOf(['json', 'pretty']).default('json'),
});

/** An address that listens everywhere is reached on this machine by loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

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
