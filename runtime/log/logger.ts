import { Writable } from 'node:stream';
import winston from 'winston';
import type { LogLevel } from '../settings/config.ts';

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

export interface LoggerOptions {
  level: LogLevel;
  format: 'json' | 'pretty';
  /** Kind of the process, such as `api` or `worker`; on every line. */
  processKind: string;
}

/** One line per event, given to `writeLine` without its line break. */
export function createLogger(options: LoggerOptions, writeLine: (line: string) => void): Logger {
  const winstonLogger = winston.createLogger({
    level: options.level,
    defaultMeta: { process_kind: options.processKind, pid: process.pid },
    format: formatOf(options.format),
    // Not winston's Console: it buffers without bound for a slow reader, and reports a lost reader
    // as an uncaught exception, which is logged, which raises the next one.
    transports: [new winston.transports.Stream({ stream: lineStream(writeLine), eol: '' })],
  });
  return wrap(winstonLogger, {});
}

/** Formats an event that bypasses the logger, because it is about the logger's own output. */
export function formatLine(
  options: LoggerOptions,
  level: LogLevel,
  event: string,
  fields: LogFields,
): string {
  const { processKind, format } = options;
  const info = { level, message: event, process_kind: processKind, pid: process.pid, ...fields };
  const formatted = formatOf(format).transform({ ...info, [LEVEL]: level });
  return String((formatted as Record<symbol, unknown>)[MESSAGE]);
}

/** Where winston stores an entry's level and formatted text (see its package triple-beam). */
const LEVEL = Symbol.for('level');
const MESSAGE = Symbol.for('message');

function formatOf(name: LoggerOptions['format']) {
  const { combine, timestamp, json, printf } = winston.format;
  const safe = winston.format((info) => Object.assign(info, withoutSecrets(info)))();
  const pretty = printf(({ timestamp: at, level, message, process_kind, pid, ...fields }) => {
    const rest = Object.entries(fields).map(([name, value]) => `${name}=${asText(value)}`);
    return [String(at).slice(11, 23), level.padEnd(5), process_kind, pid, message, ...rest].join(' ');
  });
  return combine(safe, timestamp(), name === 'json' ? json() : pretty);
}

/** Never full: each line is taken or dropped at once. */
const lineStream = (writeLine: (line: string) => void): Writable =>
  new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => {
      writeLine(line);
      done();
    },
  });

function wrap(inner: winston.Logger, common: LogFields): Logger {
  // Level checked here, because winston formats a line before it drops it. Own `with`, because
  // winston's child loggers are slow.
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

/** Discards everything, for callers that need no log. */
export const silentLogger: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  with: () => silentLogger,
};

const SECRET_FIELD = /authorization|cookie|password|secret|token|api_?key|^key$|^headers$/i;
/**
 * `user:password@` of any URL inside any text: connection errors often quote their URL. A scheme
 * starts only behind another character: otherwise each character of a long word is tried as its
 * start (200 ms for a path of 7,000).
 */
const URL_CREDENTIALS = /((?<![a-z0-9+.-])[a-z0-9+.-]+:\/\/[^\s/:@]*):[^\s/@]+@/gi;

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
  // JSON has none.
  if (typeof value === 'bigint') return String(value);
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

/** On one line: text of other servers could else look like lines of the log, or command a terminal. */
const asText = (value: unknown): string =>
  (typeof value === 'string' ? value : String(JSON.stringify(value))).replace(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
