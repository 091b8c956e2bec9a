import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';

/** A Postgres address and login, parsed from a connection string as libpq does. */
export interface PostgresAddress {
  /** Tried in this order. A host that begins with `/` is the folder of a socket. */
  hosts: { host: string; port: number }[];
  user: string;
  password: string | undefined;
  database: string;
  tls: PostgresTls;
  /** Whether only a host that accepts writes will do; true with several hosts. */
  writable: boolean;
  connectTimeoutMs: number | undefined;
  /** Server settings, such as `-c search_path=leads`. */
  options: string | undefined;
}

export interface PostgresTls {
  mode: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  /** Files. `system` as `rootCert` stands for the authorities that Node trusts. */
  rootCert: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

/** What is wrong with a connection string; the message contains no secrets. */
export class PostgresUrlError extends Error {}

const wrong = (problem: string): never => {
  throw new PostgresUrlError(problem);
};

/**
 * Parses `postgres://user:password@host:port,host:port/database?sslmode=…` or `host=… port=…
 * dbname=…`. Node's `URL` supports neither several hosts nor an omitted host, and pg interprets
 * `sslmode` differently.
 *
 * @throws PostgresUrlError
 */
export function parsePostgresUrl(value: string): PostgresAddress {
  const given = /^\w+\s*=/.test(value) ? readPairs(value) : readUrl(value);
  for (const name of given.keys()) {
    if (!KNOWN.has(name) && !IGNORED.has(name)) wrong(`there is no parameter ${JSON.stringify(name)}`);
  }
  const hosts = hostsOf(given);
  const user = given.get('user') || userInfo().username;
  return {
    hosts,
    user,
    password: given.get('password'),
    database: given.get('dbname') || user,
    tls: tlsOf(given, hosts),
    writable: hosts.length > 1 && targetOf(given) !== 'any',
    connectTimeoutMs: secondsOf(given),
    options: given.get('options'),
  };
}

const KNOWN = new Set([
  ...[
    'host',
    'hostaddr',
    'port',
    'user',
    'password',
    'dbname',
    'options',
    'connect_timeout',
    'target_session_attrs',
  ],
  ...['sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey'],
]);
/** Ignored: names set by this program, and options that the driver always or never applies. */
const IGNORED = new Set([
  ...[
    'application_name',
    'fallback_application_name',
    'client_encoding',
    'channel_binding',
    'gssencmode',
    'sslcompression',
  ],
  ...[
    'sslsni',
    'keepalives',
    'keepalives_idle',
    'keepalives_interval',
    'keepalives_count',
    'tcp_user_timeout',
    'load_balance_hosts',
  ],
]);

const SHAPE = /^postgres(?:ql)?:\/\/([^?#]*)(?:\?([^#]*))?$/i;
const EXPECTED = 'expected a URL that begins with postgres:// or postgresql://';
const ENCODE = 'in user and password write % as %25, @ as %40, / as %2F, # as %23, ? as %3F, : as %3A';

function readUrl(value: string): Map<string, string> {
  if (!/^postgres(ql)?:\/\//i.test(value)) wrong(EXPECTED);
  const [, before = '', query = ''] = SHAPE.exec(value) ?? wrong(`a # has no place here: ${ENCODE}`);
  // A raw @ in a password is accepted: no host contains one.
  const at = before.lastIndexOf('@');
  const [authority = '', ...path] = before.slice(at + 1).split('/');
  const given = new Map<string, string>();
  const put = (name: string, text: string | undefined) => {
    if (text) given.set(name, decoded(text));
  };
  if (at >= 0) {
    const [user, ...password] = before.slice(0, at).split(':');
    put('user', user);
    put('password', password.join(':'));
  }
  const hosts = authority.split(',').map(splitPort);
  put('host', hosts.map(({ host }) => host).join(','));
  put('port', hosts.some(({ port }) => port) ? hosts.map(({ port }) => port).join(',') : undefined);
  put('dbname', path.join('/'));
  for (const pair of query.split('&').filter(Boolean)) {
    const [name = '', ...text] = pair.split('=');
    put(decoded(name) === 'database' ? 'dbname' : decoded(name), text.join('='));
  }
  return given;
}

function splitPort(authority: string): { host: string; port: string } {
  const [, bracketed, plain, port = ''] =
    /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(authority) ??
    wrong(`the host and port are not understood; ${ENCODE}`);
  return { host: bracketed ?? plain ?? '', port };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return wrong(`a % is not followed by two hexadecimal digits of UTF-8; ${ENCODE}`);
  }
}

/** `host=/var/run/postgresql dbname='lead engine'`; `\'` and `\\` within quotes. */
function readPairs(value: string): Map<string, string> {
  const given = new Map<string, string>();
  const pair = /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/y;
  while (pair.lastIndex < value.trimEnd().length) {
    const [, name = '', quoted, plain = ''] =
      pair.exec(value) ?? wrong('the name=value pairs are not understood: quote values that hold blanks');
    given.set(name, (quoted ?? plain).replace(/\\(.)/g, '$1'));
  }
  return given;
}

function hostsOf(given: Map<string, string>): PostgresAddress['hosts'] {
  const hosts = (given.get('host') || given.get('hostaddr') || 'localhost').split(',');
  const ports = (given.get('port') || '5432').split(',');
  if (ports.length > 1 && ports.length !== hosts.length)
    wrong(`${hosts.length} hosts, but ${ports.length} ports`);
  return hosts.map((host, index) => {
    const text = (ports.length > 1 ? ports[index] : ports[0]) || '5432';
    const port = Number(text);
    if (!/^\d+$/.test(text) || port < 1 || port > 65_535) wrong('expected a port from 1 to 65535');
    return { host: host || 'localhost', port };
  });
}

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

function tlsOf(given: Map<string, string>, hosts: PostgresAddress['hosts']): PostgresTls {
  const files = { rootCert: given.get('sslrootcert'), cert: given.get('sslcert'), key: given.get('sslkey') };
  // The parameter `ssl` of JDBC and pg.
  const { true: on, false: off } = { true: 'require', false: 'disable' };
  const ssl = given.get('ssl');
  const said = given.get('sslmode') ?? (ssl === 'true' || ssl === '1' ? on : ssl ? off : 'prefer');
  if (!MODES.includes(said)) wrong(`sslmode is one of ${MODES.slice(0, -1).join(', ')}`);
  if (hosts.every(({ host }) => host.startsWith('/'))) return { mode: 'disable', ...files };
  if (said === 'no-verify') return { mode: 'require', ...files, rootCert: undefined };
  // As in libpq: with a root certificate, `require` verifies the issuer.
  if (said === 'require' && files.rootCert) return { mode: 'verify-ca', ...files };
  return { mode: (said === 'allow' ? 'prefer' : said) as PostgresTls['mode'], ...files };
}

/** libpq's default path. */
export const defaultRootCert = (): string => join(homedir(), '.postgresql', 'root.crt');

function targetOf(given: Map<string, string>): string {
  const target = given.get('target_session_attrs') ?? 'read-write';
  // LeadEngine writes.
  if (!['any', 'read-write', 'primary'].includes(target)) {
    wrong('target_session_attrs is one of read-write, primary or any: LeadEngine writes');
  }
  return target;
}

function secondsOf(given: Map<string, string>): number | undefined {
  const text = given.get('connect_timeout');
  if (text === undefined) return undefined;
  if (!/^\d{1,6}$/.test(text)) wrong('connect_timeout is a whole number of seconds');
  return Number(text) * 1000 || undefined;
}
