import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Where a Postgres is and how to log in, as libpq reads a connection string. */
export interface PostgresAddress {
  /** Tried in this order. A host that begins with `/` is the folder of a socket. */
  hosts: { host: string; port: number }[];
  user: string;
  password: string | undefined;
  database: string;
  tls: PostgresTls;
  /** Of several hosts, only one that accepts writes. */
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

/** What is wrong with a connection string, without anything secret of it. */
export class PostgresUrlError extends Error {}

const wrong = (problem: string): never => {
  throw new PostgresUrlError(problem);
};

/**
 * `postgres://user:password@host:port,host:port/database?sslmode=…` or `host=… port=… dbname=…`. Node's `URL` knows neither several
 * hosts nor a host that is left out, and pg reads `sslmode` in a way of its own.
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
/** They change nothing for us: names that we set ourselves, and what the driver does anyway or cannot do. */
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
  // A raw @ in a password is forgiven: no host has one.
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
  // JDBC's and pg's own way to say it.
  const { true: on, false: off } = { true: 'require', false: 'disable' };
  const ssl = given.get('ssl');
  const said = given.get('sslmode') ?? (ssl === 'true' || ssl === '1' ? on : ssl ? off : 'prefer');
  if (!MODES.includes(said)) wrong(`sslmode is one of ${MODES.slice(0, -1).join(', ')}`);
  if (hosts.every(({ host }) => host.startsWith('/'))) return { mode: 'disable', ...files };
  if (said === 'no-verify') return { mode: 'require', ...files, rootCert: undefined };
  // As libpq: a root certificate makes `require` verify what it is for.
  if (said === 'require' && files.rootCert) return { mode: 'verify-ca', ...files };
  return { mode: (said === 'allow' ? 'prefer' : said) as PostgresTls['mode'], ...files };
}

/** libpq's usual place. */
export const defaultRootCert = (): string => join(homedir(), '.postgresql', 'root.crt');

function targetOf(given: Map<string, string>): string {
  const target = given.get('target_session_attrs') ?? 'read-write';
  // We write.
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
