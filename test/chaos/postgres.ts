import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Cluster, openCluster } from '../../db/embedded-postgres/cluster.ts';
import type { Reaper } from '../support/processes/reaper.mjs';
import { waitFor } from '../support/wait-for.ts';

/** A real Postgres that can be killed, stopped and filled. */
export interface ChaosPostgres {
  port: number;
  /**
   * Creates a database of the role the product uses, as an operator would; returns its URL, without
   * a proxy.
   */
  createDatabase(name: string): Promise<string>;
  /** The same database as superuser. */
  adminUrl(database: string): string;
  /** Resolves when it accepts connections. */
  start(): Promise<void>;
  /** Clean: sessions are ended, no recovery is needed. */
  stop(): Promise<void>;
  /** SIGKILL of the postmaster, as the kernel does when memory is short. */
  kill(): Promise<void>;
  /** Undefined if this machine does not let us mount a small disk. */
  disk: SmallDisk | undefined;
  /** Ends it and removes its files. */
  close(): Promise<void>;
}

/** The disk of the data directory, small enough to be filled. */
export interface SmallDisk {
  /** Fills the free space, to the last block. */
  fill(): Promise<void>;
  empty(): Promise<void>;
}

const SETTINGS: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '64MB',
  min_wal_size: '32MB',
  max_wal_size: '128MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  jit: 'off',
  autovacuum_naptime: '15s',
  timezone: 'UTC',
};

export async function startChaosPostgres(folder: string, reaper: Reaper): Promise<ChaosPostgres> {
  const dataDir = join(folder, 'disk');
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const disk = await mountSmallDisk(dataDir);
  const cluster = await openCluster(dataDir);
  const port = await freePort();
  const log = createWriteStream(join(folder, 'postgres.log'), { flags: 'a' });
  await new Promise((resolve) => log.once('open', resolve));
  let child: ChildProcess | undefined;

  const adminUrl = (database: string) =>
    `postgres://postgres:${encodeURIComponent(cluster.password)}@127.0.0.1:${port}/${database}`;
  const accepts = () => asAdmin(adminUrl('postgres'), (admin) => admin.query('SELECT 1').then(() => true));
  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    const gone = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill(signal);
    await gone;
  };
  const start = async () => {
    // It refuses to start while processes of a killed server remain, and ends if its disk is full:
    // retry.
    await waitFor(
      async () => {
        if (!child || child.exitCode !== null || child.signalCode !== null) {
          child = spawnServer(cluster, port, log);
          reaper.watch(Number(child.pid));
        }
        return accepts();
      },
      { timeoutMs: 60_000, everyMs: 20, what: 'Postgres to accept connections' },
    );
  };

  await start();
  await asAdmin(adminUrl('postgres'), (admin) =>
    admin.query(`CREATE ROLE leadengine LOGIN CREATEDB PASSWORD '${cluster.password}'`),
  );
  return {
    port,
    adminUrl,
    start,
    stop: () => end('SIGINT'),
    kill: () => end('SIGKILL'),
    disk,
    createDatabase: async (name) => {
      await asAdmin(adminUrl('postgres'), (admin) => admin.query(`CREATE DATABASE ${name} OWNER leadengine`));
      return adminUrl(name).replace('//postgres:', '//leadengine:');
    },
    close: async () => {
      await end('SIGINT');
      log.end();
      await disk?.unmount();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function spawnServer(cluster: Cluster, port: number, log: NodeJS.WritableStream): ChildProcess {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { file, args, options } = cluster.runAs.command(cluster.binaries.postgres, [
    '-D',
    cluster.dir,
    '-p',
    String(port),
    ...settings,
  ]);
  const child = spawn(file, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return child;
}

/** One piece of work on a connection of its own; rejects within a second if the server is down. */
export async function asAdmin<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 2000,
    query_timeout: 120_000,
    application_name: 'chaos',
  });
  admin.on('error', () => {});
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.end().catch(() => {});
  }
}

const DISK_BYTES = 1536 * 1024 * 1024;

/**
 * Only as root, and only if run.mjs made a private mount namespace. A test must not fill a shared
 * disk.
 */
async function mountSmallDisk(at: string): Promise<(SmallDisk & { unmount(): Promise<void> }) | undefined> {
  if (process.env.CHAOS_MAY_MOUNT !== '1') return undefined;
  const run = promisify(execFile);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=0711`, 'tmpfs', at]);
  } catch {
    return undefined;
  }
  const ballast = join(at, 'ballast');
  return {
    fill: () => writeUntilFull(ballast),
    empty: () => rm(ballast, { force: true }),
    unmount: async () => {
      // A process of the server may end a moment after its postmaster.
      await waitFor(() => run('umount', [at]).then(() => true), { what: 'the small disk to be free' });
    },
  };
}

async function writeUntilFull(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    // Large pieces first, then the rest in small ones.
    for (const bytes of [16 * 1024 * 1024, 256 * 1024, 4096]) {
      const piece = Buffer.alloc(bytes);
      for (;;) {
        const written = await file.write(piece).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOSPC') return { bytesWritten: 0 };
          throw error;
        });
        if (written.bytesWritten < bytes) break;
      }
    }
  } finally {
    await file.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
