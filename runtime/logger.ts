import winston from 'winston';
import type { LogLevel } from './config.ts';

/** Logs events, not prose: a snake_case name, and ids, counts and durations as fields. */
export interface Logger {
  error(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  debug(event: string, fields?: LogFields): void;
  /** A logger whose every line carries these fields too, such as `job_id` or `request_id`. */
  with(fields: LogFields): Logger;
}

export type LogFields = Record<string, unknown>;

/** One line an event on standard output; `process_kind` tells an API's lines from a worker's. */
export function createLogger(options: {
  level: LogLevel;
  format: 'json' | 'pretty';
  processKind: string;
}): Logger {
  const { combine, timestamp, json, printf } = winston.format;
  const safe = winston.format((info) => Object.assign(info, withoutSecrets(info)))();
  const pretty = printf(({ timestamp: at, level, message, process_kind, pid, ...fields }) => {
    const rest = Object.entries(fields).map(([name, value]) => `${name}=${asText(value)}`);
    return [String(at).slice(11, 23), level.padEnd(5), process_kind, pid, message, ...rest].join(' ');
  });
  const winstonLogger = winston.createLogger({
    level: options.level,
    defaultMeta: { process_kind: options.processKind, pid: process.pid },
    format: combine(safe, timestamp(), options.format === 'json' ? json() : pretty),
    transports: [new winston.transports.Console()],
  });
  return wrap(winstonLogger, {});
}

function wrap(inner: winston.Logger, common: LogFields): Logger {
  // Asked here, because winston formats a line before it drops it; and our own `with`, because its child loggers are dear.
  const log = (level: LogLevel) =>
    inner.isLevelEnabled(level)
      ? (event: string, fields?: LogFields) => void inner.log(level, event, { ...common, ...fields })
      : () => {};
  return {
    error: log('error'),
    warn: log('warn'),
    info: log('info'),
    debug: log('debug'),
    with: (fields) => wrap(inner, { ...common, ...fields }),
  };
}

/** Silent, for code that must be given a logger and has nothing to tell. */
export const silentLogger: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  with: () => silentLogger,
};

const SECRET_FIELD = /authorization|cookie|password|secret|token|api_?key|^key$|^headers$/i;
/** `user:password@` of any URL inside any text: connection errors like to quote their URL. */
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/gi;

/** A copy of the fields in which secrets are replaced and errors are plain objects. */
export function withoutSecrets(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      SECRET_FIELD.test(name) && value != null ? '[hidden]' : cleaned(value, 0),
    ]),
  );
}

function cleaned(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.replace(URL_CREDENTIALS, '$1:[hidden]@');
  if (value instanceof Error) return cleanedError(value, depth);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  if (depth >= 4) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => cleaned(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SECRET_FIELD.test(name) && item != null ? '[hidden]' : cleaned(item, depth + 1),
    ]),
  );
}

function cleanedError(error: Error, depth: number): LogFields {
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: cleaned(error.message, depth),
    ...(code === undefined ? {} : { code }),
    stack: cleaned(error.stack ?? '', depth),
    ...(error.cause === undefined || depth >= 3 ? {} : { cause: cleaned(error.cause, depth + 1) }),
  };
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
