import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { isRunning } from '../../runtime/process/is-running.ts';
import type { Cluster } from './cluster.ts';

/** What `postmaster.pid` says about the server of a cluster. */
export interface Postmaster {
  pid: number;
  /** Undefined while it is starting. */
  port: number | undefined;
}

/**
 * The server that runs on this cluster; undefined if there is none, even if a killed one left a pid
 * file.
 */
export async function findPostmaster(clusterDir: string): Promise<Postmaster | undefined> {
  const lines = await readPidFile(clusterDir);
  const pid = Number(lines?.[0]);
  if (!lines || !pid || !isRunning(pid) || !(await isPostmasterOf(pid, clusterDir))) return undefined;
  return { pid, port: Number(lines[3]) || undefined };
}

/**
 * Starts a server and returns at once. The server leads a session of its own, so that Ctrl-C in the
 * terminal and closing it do not reach it, and it is independent of this process: Postgres survives
 * a crash of Node, and the next start takes it over. (pg_ctl does the same through a shell, in
 * which the folder's name must be quoted and an early exit is hard to detect.)
 *
 * @param onSpawn called in the same tick
 */
export async function spawnPostmaster(
  cluster: Cluster,
  port: number,
  settings: Record<string, string>,
  onSpawn: (pid: number) => void,
): Promise<{ child: ChildProcess; logBegin: number }> {
  await removeStalePidFile(cluster.dir);
  const all = { ...SETTINGS, ...settings };
  const { file, args, options } = cluster.runAs.command(cluster.binaries.postgres, [
    '-D',
    cluster.dir,
    '-p',
    String(port),
    ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const log = await openLog(cluster);
  try {
    const logBegin = (await log.stat()).size;
    const child = spawn(file, args, { ...options, detached: true, stdio: ['ignore', log.fd, log.fd] });
    if (child.pid) onSpawn(child.pid);
    child.on('error', () => {});
    child.unref();
    return { child, logBegin };
  } finally {
    await log.close();
  }
}

const SETTINGS: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  max_connections: '200',
  shared_buffers: '128MB',
  // Few, spread-out checkpoints: a busy queue rewrites the same pages repeatedly.
  min_wal_size: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // There are no replicas.
  wal_level: 'minimal',
  max_wal_senders: '0',
  // JIT compilation of a plan costs more than running our short statements.
  jit: 'off',
  // Queue tables churn: vacuum them before they bloat.
  autovacuum_naptime: '15s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_checkpoints: 'off',
  // The backend's own parameters stay out of the log: rows hold what users sent.
  log_min_error_statement: 'panic',
};

const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

/** Postgres appends to one file; a start that finds it large rotates it once. */
async function openLog({ logFile, runAs: { owner } }: Cluster) {
  const { size } = await stat(logFile).catch(() => ({ size: 0 }));
  if (size > LOG_LIMIT_BYTES) await rename(logFile, `${logFile}.1`);
  const log = await open(logFile, 'a', 0o600);
  if (owner) await chown(logFile, owner.uid, owner.gid);
  return log;
}

/** The last lines of the log that were written since `begin`. */
export async function logTail({ logFile }: Cluster, begin: number): Promise<string> {
  const log = await readFile(logFile).catch(() => Buffer.alloc(0));
  return log.subarray(begin).toString('utf8').trim().split('\n').slice(-8).join('\n');
}

const STOP_MS = 30_000;

/**
 * Ends sessions and transactions and stops; a server that misses the deadline is killed, from which
 * Postgres recovers.
 */
export async function stopPostmaster(clusterDir: string, pid: number): Promise<boolean> {
  for (const name of ['SIGINT', 'SIGQUIT'] as const) {
    const deadline = Date.now() + STOP_MS;
    if (!signal(pid, name)) return true;
    while (Date.now() < deadline) {
      if ((await findPostmaster(clusterDir))?.pid !== pid) return true;
      await pause(20);
    }
  }
  return false;
}

/** @returns whether there was a process to receive it */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      server.close(() => (port ? resolve(port) : reject(new Error('no free port'))));
    });
  });
}

async function readPidFile(clusterDir: string): Promise<string[] | undefined> {
  const content = await readFile(pidFileOf(clusterDir), 'utf8').catch(() => undefined);
  return content?.split('\n');
}

const pidFileOf = (clusterDir: string): string => join(clusterDir, 'postmaster.pid');

/**
 * Postgres takes a pid file for valid if any process has that number: after a reboot, or a killed
 * container, that is often an unrelated process, and then Postgres refuses to start. The same for
 * an empty file, left by a full disk. Such a file is removed; Postgres itself ignores the number of
 * a dead process.
 */
async function removeStalePidFile(clusterDir: string): Promise<void> {
  const first = (await readPidFile(clusterDir))?.[0];
  if (first === undefined || !(await isStale(clusterDir, first))) return;
  // Renamed and read again before it is removed: another start may have just written its own.
  const aside = `${pidFileOf(clusterDir)}.stale-${process.pid}`;
  await rename(pidFileOf(clusterDir), aside).catch(() => {});
  const moved = await readFile(aside, 'utf8').catch(() => undefined);
  if (moved !== undefined && moved.split('\n')[0] !== first) await rename(aside, pidFileOf(clusterDir));
  else await rm(aside, { force: true });
}

async function isStale(clusterDir: string, firstLine: string): Promise<boolean> {
  const pid = Number(firstLine);
  if (pid) return isRunning(pid) && !(await isPostmasterOf(pid, clusterDir));
  const { mtimeMs } = await stat(pidFileOf(clusterDir)).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > 10_000;
}

/** Whether that process is a postmaster and its `-D` is this folder, by whichever path. */
async function isPostmasterOf(pid: number, clusterDir: string): Promise<boolean> {
  // Only Linux separates the arguments of a process.
  if (process.platform !== 'linux') {
    const { stdout } = await execFileAsync('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => ({
      stdout: '',
    }));
    return stdout.includes(`postgres -D ${clusterDir} `);
  }
  const [program, ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  const given = args.includes('-D') && args[args.indexOf('-D') + 1];
  if (!program || basename(program) !== 'postgres' || !given) return false;
  const [ours, theirs] = await Promise.all([stat(clusterDir), stat(given).catch(() => undefined)]);
  return theirs?.dev === ours.dev && theirs.ino === ours.ino;
}

const execFileAsync = promisify(execFile);
