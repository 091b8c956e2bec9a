import { z } from 'zod';
import { parseUrl } from '../../core/parse-url.ts';
import { PostgresUrlError, parsePostgresUrl } from '../postgres/postgres-url.ts';
import { text, urlOf } from './setting-types.ts';

/** Paths are appended to it. */
export const publicUrl = urlOf('http:', 'https:').refine((value) => {
  const url = parseUrl(value);
  return url === null || !(/[?#]/.test(value) || url.username || url.password);
}, 'expected a URL without ?, # and user name, such as https://leads.example.com');

/** Validated here, parsed where it is used: processes and tests pass it on as text. */
export const databaseUrl = text.superRefine((value, context) => {
  try {
    parsePostgresUrl(value);
  } catch (error) {
    if (!(error instanceof PostgresUrlError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

export const amqpUrl = text
  .refine((value) => /^amqps?:\/\//i.test(value), 'expected a URL that begins with amqp:// or amqps://')
  .refine(
    (value) => !/^amqps?:/i.test(value) || isDecodable(value),
    'expected amqp://user:password@host:port/vhost; in its parts write % as %25, @ as %40, / as %2F, # as %23, ? as %3F, : as %3A',
  );

function isDecodable(value: string): boolean {
  const url = parseUrl(value);
  if (!url) return false;
  const { hostname, pathname, hash, username, password } = url;
  // A raw / or # in a password ends the host.
  if (hostname === '' || hash !== '' || pathname.indexOf('/', 1) >= 0) return false;
  try {
    for (const part of [username, password, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

/** Checks the shape only; the egress guard validates addresses. */
const EGRESS_ENTRY =
  /^(\[[0-9a-f:.]+\](\/\d{1,3})?|[^\s:/[\]]+(\/\d{1,2})?)(:\d{1,5})?$|^[0-9a-f:.]+(\/\d{1,3})?$/i;

export const egressEntry = z
  .string()
  .regex(EGRESS_ENTRY, 'expected host[:port] or CIDR[:port], separated by commas');

/** As above, and `*.host`. */
export const egressDenyEntry = z
  .string()
  .refine(
    (entry) => EGRESS_ENTRY.test(entry) && /^[^*]*$|^\*\.[^*]+$/.test(entry),
    'expected host[:port], *.host[:port] or CIDR[:port], separated by commas',
  );

export const artifactsUrl = text.refine(
  isArtifactsUrl,
  'expected file:///folder or s3://KEY:SECRET@host:port/bucket?region=…&tls=true|false',
);

function isArtifactsUrl(value: string): boolean {
  const url = parseUrl(value);
  if (!url) return false;
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
