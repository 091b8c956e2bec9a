import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { connect } from '../../../db/connect.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../db/embedded-postgres.ts';
import { createLeadership } from '../../../db/leadership.ts';
import { openDatabase } from '../../../db/open.ts';
import { statement } from '../../../db/statement.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { poolAddress } from '../../../runtime/postgres/postgres-connection.ts';
import { explainPostgresFailure } from '../../../runtime/postgres/postgres-failure.ts';
import { startPgbouncer } from '../../support/pgbouncer.ts';

/** A server with TLS and a socket; its self-signed certificate is for `localhost`. */
let server: EmbeddedPostgres;
let folder: string;
let certificate: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'leadengine-addresses-'));
  chmodSync(folder, 0o711);
  const dataDir = join(folder, 'data');
  // The first start creates the cluster, and with it the user who must own the key.
  await (await startEmbeddedPostgres({ dataDir, logger: silentLogger })).stop();
  const { uid, gid } = statSync(join(dataDir, 'postgres'));
  const sockets = join(folder, 's');
  mkdirSync(sockets);
  [certificate] = makeCertificate(folder);
  const key = join(folder, 'server.key');
  for (const path of [sockets, certificate, key]) chownSync(path, uid, gid);
  const settings = {
    ssl: 'on',
    ssl_cert_file: certificate,
    ssl_key_file: key,
    unix_socket_directories: sockets,
  };
  server = await startEmbeddedPostgres({ dataDir, logger: silentLogger, settings });
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function makeCertificate(into: string): [string] {
  const [certificate, key] = [join(into, 'server.crt'), join(into, 'server.key')];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  execFileSync(
    'openssl',
    [...args, '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
    { stdio: 'ignore' },
  );
  chmodSync(key, 0o600);
  return [certificate];
}

const IS_ENCRYPTED = statement('is_encrypted', 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');

/** Through the pool of the program's tables and through the pool of the queue. */
async function encryptedBy(url: string): Promise<unknown[]> {
  const database = connect({ url, poolSize: 2, applicationName: 'test', logger: silentLogger });
  const pool = new pg.Pool(poolAddress(url));
  try {
    const [row] = await database.query<{ ssl: boolean }>(IS_ENCRYPTED);
    const { rows } = await pool.query(IS_ENCRYPTED.text);
    return [row?.ssl, rows[0].ssl];
  } finally {
    await database.stop();
    await pool.end();
  }
}

const failureOf = (url: string): Promise<string> =>
  encryptedBy(url).then(
    () => 'none',
    (error) => explainPostgresFailure(error) ?? String(error),
  );

const withTls = (query: string, host = '127.0.0.1') => {
  const url = new URL(server.url);
  url.search = query;
  url.hostname = host;
  return url.href;
};

describe('a server with TLS', () => {
  test.each([
    ['nothing said', '', true],
    ['disable', 'sslmode=disable', false],
    ['prefer', 'sslmode=prefer', true],
    ['require, which does not verify', 'sslmode=require', true],
    ['no-verify', 'sslmode=no-verify', true],
    ['ssl=true', 'ssl=true', true],
  ])('%s', async (_name, query, isEncrypted) => {
    expect(await encryptedBy(withTls(query))).toEqual([isEncrypted, isEncrypted]);
  });

  test('verify-ca checks the issuer, verify-full also the host', async () => {
    const root = `sslrootcert=${encodeURIComponent(certificate)}`;
    expect(await encryptedBy(withTls(`sslmode=verify-ca&${root}`))).toEqual([true, true]);
    expect(await encryptedBy(withTls(`sslmode=require&${root}`))).toEqual([true, true]);
    expect(await encryptedBy(withTls(`sslmode=verify-full&${root}`, 'localhost'))).toEqual([true, true]);
    expect(await failureOf(withTls(`sslmode=verify-full&${root}`))).toMatch(
      /^DATABASE_URL: the server’s certificate is for another host/,
    );
    for (const mode of ['verify-ca', 'verify-full']) {
      expect(await failureOf(withTls(`sslmode=${mode}`, 'localhost'))).toMatch(
        /^DATABASE_URL: the server’s certificate is not trusted: set sslrootcert/,
      );
    }
    expect(await failureOf(withTls('sslmode=verify-ca&sslrootcert=/none.crt'))).toMatch(
      /DATABASE_URL: sslrootcert: \/none.crt cannot be read \(ENOENT\)/,
    );
  });
});

describe('a server without TLS', () => {
  const withoutTls = (query: string) => {
    const url = new URL(String(process.env.TEST_DATABASE_URL));
    url.search = query;
    return url.href;
  };

  test.each(['', 'sslmode=prefer', 'sslmode=disable'])('is used without TLS with %j', async (query) => {
    expect(await encryptedBy(withoutTls(query))).toEqual([false, false]);
  });

  test.each(['require', 'verify-ca', 'verify-full'])('is refused with sslmode=%s', async (mode) => {
    expect(await failureOf(withoutTls(`sslmode=${mode}`))).toMatch(
      /^DATABASE_URL: the server speaks no TLS: set sslmode=/,
    );
  });
});

describe('the address of the server may be', () => {
  test('a socket', async () => {
    const { username, password, port } = new URL(server.url);
    const sockets = join(folder, 's');
    const pair = `host=${sockets} port=${port} user=${username} password='${decodeURIComponent(password)}' dbname=leadengine`;
    expect(
      await encryptedBy(`postgres://${username}:${password}@/leadengine?host=${sockets}&port=${port}`),
    ).toEqual([false, false]);
    expect(
      await encryptedBy(
        `postgres://${username}:${password}@${encodeURIComponent(sockets)}:${port}/leadengine`,
      ),
    ).toEqual([false, false]);
    expect(await encryptedBy(pair)).toEqual([false, false]);
  });

  test('the first of several that answers and accepts writes', async () => {
    const { username, password, port } = new URL(server.url);
    const url = `postgres://${username}:${password}@127.0.0.1:1,127.0.0.1:${port}/leadengine`;
    expect(await encryptedBy(url)).toEqual([true, true]);
    const readOnly = `${url}?options=-c%20default_transaction_read_only%3Don`;
    expect(await failureOf(readOnly)).toMatch(/takes no writes/);
    expect(await failureOf(`postgres://${username}:${password}@127.0.0.1:1,127.0.0.1:2/leadengine`)).toMatch(
      /^DATABASE_URL: nothing listens there/,
    );
  });
});

describe('a permanent start error is one line', () => {
  const open = (url: string) =>
    openDatabase({ url, poolSize: 2, applicationName: 'test', logger: silentLogger });

  test.each<[string, (url: URL) => void, RegExp]>([
    [
      'a wrong password',
      (url) => {
        url.password = 'wrong';
      },
      /^DATABASE_URL: user or password are wrong/,
    ],
    [
      'an unknown user',
      (url) => {
        url.username = 'nobody';
      },
      /^DATABASE_URL: user or password are wrong/,
    ],
    [
      'a missing database',
      (url) => {
        url.pathname = '/none';
      },
      /^DATABASE_URL: there is no such database: create it/,
    ],
    [
      'a certificate that is not trusted',
      (url) => {
        url.search = 'sslmode=verify-full';
      },
      /^DATABASE_URL: the server’s certificate is not trusted/,
    ],
  ])('%s', async (_name, change, line) => {
    const url = new URL(server.url);
    change(url);
    await expect(open(url.href)).rejects.toThrow(line);
    await expect(open(url.href)).rejects.toMatchObject({
      name: 'OperatorError',
      message: expect.not.stringContaining('\n'),
    });
  });
});

describe('behind PgBouncer', () => {
  test('in session mode everything works: settings, prepared statements, leadership', async () => {
    const bouncer = await startPgbouncer(server.url, 'session');
    try {
      const database = await openDatabase({
        url: bouncer.url,
        poolSize: 3,
        applicationName: 'test',
        logger: silentLogger,
      });
      const shown = statement(
        'shown',
        `SELECT current_setting('plan_cache_mode') AS plan, current_setting('statement_timeout') AS timeout`,
      );
      for (let time = 0; time < 3; time += 1) {
        expect(await database.query(shown)).toEqual([{ plan: 'force_generic_plan', timeout: '30s' }]);
      }
      const leader = createLeadership(database);
      const other = createLeadership(database);
      expect([await leader.hold(), await other.hold()]).toEqual([true, false]);
      await leader.release();
      await database.stop();
    } finally {
      await bouncer.stop();
    }
  });

  test('in transaction mode a start is refused', async () => {
    const bouncer = await startPgbouncer(server.url, 'transaction');
    try {
      const opened = openDatabase({
        url: bouncer.url,
        poolSize: 3,
        applicationName: 'test',
        logger: silentLogger,
      });
      await expect(opened).rejects.toThrow(/^DATABASE_URL: the pooler there .+ set pool_mode = session/);
    } finally {
      await bouncer.stop();
    }
  });
});
