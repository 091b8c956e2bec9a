import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { embeddedPostgresUrl, startEmbeddedPostgres } from '../../../db/embedded-postgres.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { waitFor } from '../../support/wait-for.ts';

let dataDir: string;
let owners: ChildProcess[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'leadengine embedded-'));
  owners = [];
});

afterEach(async () => {
  for (const owner of owners) await end(owner, 'SIGKILL');
  // A start takes over a server that still runs, and so can end it.
  const left = await postmasterPid();
  if (left) await (await startEmbeddedPostgres({ dataDir, logger: silentLogger })).stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe('the embedded Postgres', () => {
  test('keeps its data over a stop and a start, listens only on loopback and hides its password', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    const [settings] = await query(first.url, 'SELECT current_setting($1) AS listens, version() AS version', [
      'listen_addresses',
    ]);
    expect(settings).toMatchObject({
      listens: '127.0.0.1',
      version: expect.stringContaining('PostgreSQL 18'),
    });
    await first.stop();
    await first.stop();
    expect(await postmasterPid()).toBeUndefined();

    const second = await start();
    expect(await query(second.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    const file = join(dataDir, 'database-url');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, 'postgres', 'leadengine-password'))).mode & 0o777).toBe(0o600);
    expect((await readFile(file, 'utf8')).trim()).toBe(second.url);
    await second.stop();
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  test('compares text the same way on every machine', async () => {
    const postgres = await start();
    expect(await query(postgres.url, "SELECT upper('é') AS e, 'a' < 'B' AS bytewise")).toEqual([
      { e: 'É', bytewise: false },
    ]);
    await postgres.stop();
  });

  test('its application role is no superuser', async () => {
    const postgres = await start();
    await expect(query(postgres.url, "SELECT pg_read_file('/etc/hostname')")).rejects.toThrow(
      'permission denied',
    );
    await postgres.stop();
  });

  test('a second owner on the same folder gets one clear line', async () => {
    const postgres = await start();
    const message = `another LeadEngine is running on ${dataDir} (pid ${process.pid}): stop it, or set DATA_DIR to another folder`;
    await expect(start()).rejects.toThrow(message);
    await postgres.stop();
  });

  test('of several first starts at once one wins, and the others get the clear line', async () => {
    const starts = await Promise.all([startOwner(), startOwner(), startOwner()]);
    const won = starts.filter(({ said }) => said.type === 'ready');
    expect(won).toHaveLength(1);
    for (const { said } of starts.filter((start) => start !== won[0])) {
      expect(said).toEqual({
        type: 'failed',
        message: expect.stringMatching(/^another LeadEngine is running on .* \(pid \d+\): stop it/),
      });
    }
    expect(await query(won[0]?.said.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await readdir(dataDir)).filter((name) => name.startsWith('postgres.new-'))).toEqual([]);
  });

  test('is taken over from an owner that was killed', async () => {
    const killed = await startOwner();
    await query(killed.said.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    await end(killed.owner, 'SIGKILL');

    const postgres = await start();
    expect(await query(postgres.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    await postgres.stop();
    expect(await postmasterPid()).toBeUndefined();
  });

  test('stops after a while if no owner takes over', async () => {
    const killed = await startOwner('1');
    await end(killed.owner, 'SIGKILL');
    await waitFor(async () => (await postmasterPid()) === undefined, { what: 'the server to stop' });
  });

  test('recovers when owner and server were killed', async () => {
    const killed = await startOwner();
    await query(killed.said.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    await end(killed.owner, 'SIGKILL');
    process.kill(Number(await postmasterPid()), 'SIGKILL');

    const postgres = await start();
    expect(await query(postgres.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    await postgres.stop();
  });

  test('starts although another process now has the pid it left behind', async () => {
    await (await start()).stop();
    await writeFile(
      join(dataDir, 'postgres', 'postmaster.pid'),
      `${process.pid}\n${dataDir}\n1\n5432\n\n\n\n`,
    );
    await (await start()).stop();
  });

  test('is restarted on the same address when only the server is killed', async () => {
    const postgres = await start();
    const pid = await postmasterPid();
    process.kill(Number(pid), 'SIGKILL');
    await waitFor(async () => (await query(postgres.url, 'SELECT 1 AS one')).length === 1, {
      what: 'the server',
    });
    expect(await postmasterPid()).not.toBe(pid);
    await waitFor(() => embeddedPostgresUrl(dataDir), { what: 'its owner to be its owner again' });
    await expect(start()).rejects.toThrow('another LeadEngine is running');
    await postgres.stop();
    expect(await postmasterPid()).toBeUndefined();
  });

  test('a first start that was killed half way is completed', async () => {
    const owner = fork(OWNER, [dataDir], {
      execArgv: [],
      env: { PATH: process.env.PATH },
      stdio: 'ignore',
      detached: true,
    });
    owners.push(owner);
    await waitFor(async () => (await readdir(dataDir)).some((name) => name.startsWith('postgres.new-')), {
      what: 'initdb to begin',
    });
    await end(owner, 'SIGKILL');

    const postgres = await start();
    await postgres.stop();
    expect((await readdir(dataDir)).filter((name) => name.startsWith('postgres.new-'))).toEqual([]);
  });

  test('begins a new log when the old one has grown long', async () => {
    await (await start()).stop();
    const log = join(dataDir, 'postgres.log');
    await writeFile(log, Buffer.alloc(11 * 1024 * 1024, 'x\n'));
    await (await start()).stop();
    expect((await stat(log)).size).toBeLessThan(100_000);
    expect((await stat(`${log}.1`)).size).toBe(11 * 1024 * 1024);
  });

  test('reports why the server does not start, with the end of its log', async () => {
    await (await start()).stop();
    await writeFile(join(dataDir, 'postgres', 'postgresql.conf'), 'no_such_setting = 1\n');
    await expect(start()).rejects.toThrow(/Postgres does not start on .*postgres\.log:\n.*no_such_setting/s);
  });

  test('refuses a folder with other files', async () => {
    await mkdir(join(dataDir, 'postgres'));
    await writeFile(join(dataDir, 'postgres', 'thesis.txt'), 'two years of work');
    await expect(start()).rejects.toThrow('postgres is in the way: it is not a Postgres data directory');
    expect(await readdir(join(dataDir, 'postgres'))).toEqual(['thesis.txt']);
  });

  test('names a DATA_DIR that is no folder', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    await expect(startEmbeddedPostgres({ dataDir: file, logger: silentLogger })).rejects.toThrow(
      `${file} is not a folder`,
    );
  });

  if (process.getuid?.() !== 0) {
    // Root may write anywhere.
    test('names a DATA_DIR without write permission', async () => {
      await chmod(dataDir, 0o500);
      await expect(start()).rejects.toThrow('may not be read or written by this user');
      await chmod(dataDir, 0o700);
    });
  }
});

describe('another process on the machine', () => {
  test('finds the running Postgres by the folder', async () => {
    const postgres = await start();
    expect(await embeddedPostgresUrl(dataDir)).toBe(postgres.url);
    await postgres.stop();
  });

  const none = 'there is no DATABASE_URL, and no LeadEngine is running on';

  test('gets instructions when none runs', async () => {
    await expect(embeddedPostgresUrl(dataDir)).rejects.toThrow(none);
    await (await start()).stop();
    await expect(embeddedPostgresUrl(dataDir)).rejects.toThrow(
      `${none} ${dataDir}: run \`npm start\`, or set DATABASE_URL`,
    );
  });

  test('does not take a server without an owner for a running LeadEngine', async () => {
    const killed = await startOwner();
    await end(killed.owner, 'SIGKILL');
    // Postgres needs a moment to notice that its owner's connection is gone.
    await waitFor(() =>
      embeddedPostgresUrl(dataDir).then(
        () => false,
        (error) => error.message.startsWith(none),
      ),
    );
  });
});

const OWNER = join(import.meta.dirname, '..', '..', 'support', 'processes', 'embedded-postgres-owner.mjs');

const start = () => startEmbeddedPostgres({ dataDir, logger: silentLogger });

async function startOwner(...lingerSeconds: string[]): Promise<{
  owner: ChildProcess;
  said: { type: string; url: string; message?: string };
}> {
  const owner = fork(OWNER, [dataDir, ...lingerSeconds], {
    execArgv: [],
    env: { PATH: process.env.PATH },
    stdio: 'ignore',
    detached: true,
  });
  owners.push(owner);
  const [said] = await once(owner, 'message');
  return { owner, said };
}

async function end(owner: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (owner.exitCode !== null || owner.signalCode !== null) return;
  owner.kill(signal);
  await once(owner, 'exit');
}

async function query(url = '', sql = '', values: unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

async function postmasterPid(): Promise<string | undefined> {
  const content = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => undefined);
  return content?.split('\n')[0];
}
