import { existsSync, readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { OperatorError } from '../operator-error.ts';
import { defaultRootCert, type PostgresAddress, type PostgresTls, parsePostgresUrl } from './postgres-url.ts';

/** Connection options of pg for one server. */
export interface PostgresTarget {
  host: string;
  port: number;
  user: string;
  password: string | undefined;
  database: string;
  ssl: false | ConnectionOptions;
  connectionTimeoutMillis: number;
  options?: string;
}

const CONNECT_MS = 5000;

/**
 * Finds the server to connect to, with TLS as libpq defines `sslmode`. Of several hosts, the first
 * that answers and takes writes; checked for each connection, so that a failover needs no restart.
 */
export async function findPostgres(url: string): Promise<PostgresTarget> {
  const address = parsePostgresUrl(url);
  const several = address.hosts.length > 1;
  let failure: unknown;
  for (const at of address.hosts) {
    try {
      const target = await targetAt(address, at);
      if (!several || (await serves(target, address.writable))) return target;
      failure = new Error(`${at.host}:${at.port} takes no writes`);
    } catch (error) {
      // An unreadable file fails for every host.
      if (error instanceof OperatorError) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function targetAt(
  address: PostgresAddress,
  at: { host: string; port: number },
): Promise<PostgresTarget> {
  const { user, password, database, options, connectTimeoutMs = CONNECT_MS } = address;
  const ssl = await tlsAt(address.tls, at, connectTimeoutMs);
  return {
    ...at,
    ...{ user, password, database, ssl, connectionTimeoutMillis: connectTimeoutMs },
    ...(options ? { options } : {}),
  };
}

async function serves(target: PostgresTarget, writable: boolean): Promise<boolean> {
  const client = new pg.Client(target);
  // Without a listener, a lost connection would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    if (!writable) return true;
    const { rows } = await client.query('SHOW transaction_read_only');
    return rows[0]?.transaction_read_only === 'off';
  } finally {
    await client.end().catch(() => {});
  }
}

async function tlsAt(
  tls: PostgresTls,
  { host, port }: { host: string; port: number },
  timeoutMs: number,
): Promise<false | ConnectionOptions> {
  if (tls.mode === 'disable' || host.startsWith('/')) return false;
  const own = {
    ...(tls.cert ? { cert: fileOf('sslcert', tls.cert) } : {}),
    ...(tls.key ? { key: fileOf('sslkey', tls.key) } : {}),
  };
  if (tls.mode === 'prefer' && !(await speaksTls(host, port, timeoutMs))) return false;
  if (tls.mode === 'prefer' || tls.mode === 'require') return { ...own, rejectUnauthorized: false };
  const trusted = { ...own, ...rootOf(tls), rejectUnauthorized: true };
  // `verify-ca` checks the issuer and not the host name.
  return tls.mode === 'verify-ca' ? { ...trusted, checkServerIdentity: () => undefined } : trusted;
}

function rootOf({ rootCert }: PostgresTls): { ca?: string } {
  if (rootCert === 'system') return {};
  const file = rootCert ?? (existsSync(defaultRootCert()) ? defaultRootCert() : undefined);
  return file ? { ca: fileOf('sslrootcert', file) } : {};
}

function fileOf(parameter: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OperatorError(`DATABASE_URL: ${parameter}: ${file} cannot be read (${code}): correct the path`);
  }
}

/** Sends the protocol's SSLRequest, which a server answers with one letter. */
function speaksTls(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, timeout: timeoutMs });
    const end = (settle: () => void) => {
      socket.destroy();
      settle();
    };
    socket.once('connect', () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
    socket.once('data', (answer) => end(() => resolve(answer[0] === 'S'.charCodeAt(0))));
    socket.once('error', (error) => end(() => reject(error)));
    socket.once('timeout', () => end(() => reject(new Error('timeout expired'))));
    socket.once('close', () => reject(new Error('Connection terminated unexpectedly')));
  });
}

export interface PoolAddress extends Omit<PostgresTarget, 'host' | 'port' | 'ssl'> {
  Client: new (config?: pg.ClientConfig) => pg.Client;
}

/**
 * Options for pg's pool, which takes no asynchronous address: each client finds its server when it
 * connects.
 */
export function poolAddress(url: string): PoolAddress {
  const { user, password, database, options, connectTimeoutMs = CONNECT_MS } = parsePostgresUrl(url);
  const Client = class extends pg.Client {
    override connect(): Promise<pg.Client>;
    override connect(callback: (error: Error) => void): void;
    override connect(callback?: (error: Error) => void): Promise<pg.Client> | undefined {
      const connected = findPostgres(url).then(({ host, port, ssl }) => {
        Object.assign(this, { host, port, ssl });
        // pg creates its connection object before `connect` is called.
        Object.assign((this as unknown as { connection: object }).connection, { ssl });
        return super.connect();
      });
      if (!callback) return connected;
      // pg's type does not allow a null error on success.
      const done = callback as (error: Error | null, client?: pg.Client) => void;
      connected.then((client) => done(null, client), done);
      return undefined;
    }
  };
  const login = { user, password, database, connectionTimeoutMillis: connectTimeoutMs };
  return { ...login, ...(options ? { options } : {}), Client };
}
