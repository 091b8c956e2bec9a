import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Environment, Folders } from './folders.ts';

/** A LeadEngine that runs on this machine, found by the file it writes beside its data. */
export interface LocalServer {
  url: string;
  pid: number;
  dataDir: string;
  /** Null if its operator chose the key. */
  apiKey: string | null;
}

/** The start of a checkout or of the published package: see scripts/start.mjs. */
export const START = resolve(import.meta.dirname, '../../../scripts/start.mjs');

/** The first that runs: of DATA_DIR, of this folder (`npm start`), of this user. */
export async function findLocalServer(env: Environment, folders: Folders): Promise<LocalServer | null> {
  for (const dataDir of [env.DATA_DIR, '.leadengine', folders.data]) {
    const server = dataDir ? await serverOn(resolve(dataDir)) : null;
    if (server) return server;
  }
  return null;
}

/** Null if none runs on that folder. */
async function serverOn(dataDir: string): Promise<LocalServer | null> {
  const text = await readFile(join(dataDir, 'server.json'), 'utf8').catch(() => '');
  try {
    const { url, pid } = JSON.parse(text) as { url: string; pid: number };
    const answer = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(3000) });
    if (!answer.ok) return null;
    const apiKey = await readFile(join(dataDir, 'api-key'), 'utf8').catch(() => null);
    return { url, pid, dataDir, apiKey: apiKey?.trim() ?? null };
  } catch {
    return null;
  }
}

/** A first start may download a browser. */
const START_MS = 180_000;

/**
 * Starts a server that outlives this command, on loopback, with its data in `dataDir`.
 *
 * @throws Failure with the end of its log
 */
export async function startLocalServer(
  dataDir: string,
  env: Environment,
  signal: AbortSignal,
): Promise<LocalServer> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const logFile = join(dataDir, 'server.log');
  const log = await open(logFile, 'w', 0o600);
  const child = spawn(process.execPath, [START], {
    ...{ cwd: dataDir, detached: true, stdio: ['ignore', log.fd, log.fd] },
    env: serverEnvironment(dataDir, env),
  });
  await log.close();
  child.unref();
  const ended = endOf(child);
  try {
    for (const until = Date.now() + START_MS; Date.now() < until; await sleep(100, undefined, { signal })) {
      const server = await serverOn(dataDir);
      if (server) return server;
      if (!(await Promise.race([ended, false]))) continue;
      // Another command may have been faster to start one here.
      const other = await waitForOther(dataDir);
      if (other) return other;
      throw new Failure(`no server could be started: ${await reasonIn(logFile)}`, EXIT.unreachable);
    }
  } catch (error) {
    if (signal.aborted) child.kill('SIGTERM');
    throw error;
  }
  child.kill('SIGTERM');
  throw new Failure(`the server was not ready after ${START_MS / 1000} s: see ${logFile}`, EXIT.unreachable);
}

/** Without what npm told this command about itself: the server would end with that npm. */
export function serverEnvironment(dataDir: string, env: Environment): Environment {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('npm_'));
  return { ...Object.fromEntries(kept), DATA_DIR: dataDir };
}

const endOf = (child: ChildProcess): Promise<true> =>
  new Promise((resolve) => {
    child.once('error', () => resolve(true));
    child.once('exit', () => resolve(true));
  });

const OTHER_MS = 30_000;

async function waitForOther(dataDir: string): Promise<LocalServer | null> {
  const log = await readFile(join(dataDir, 'server.log'), 'utf8').catch(() => '');
  if (!/another|in use|already/i.test(log)) return null;
  for (const until = Date.now() + OTHER_MS; Date.now() < until; await sleep(100)) {
    const server = await serverOn(dataDir);
    if (server) return server;
  }
  return null;
}

/** The last line that is for people: the others are JSON. */
async function reasonIn(logFile: string): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const lines = log.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('{'));
  return `${lines.at(-1)?.replace(/^leadengine: /, '') ?? 'it ended at once'} (${logFile})`;
}

/** Ends it in order. False if it did not end in time. */
export async function stopLocalServer({ pid, dataDir }: LocalServer): Promise<boolean> {
  process.kill(pid, 'SIGTERM');
  for (const until = Date.now() + STOP_MS; Date.now() < until; await sleep(100)) {
    if (!isRunning(pid) && (await serverOn(dataDir)) === null) return true;
  }
  return false;
}

/** Its grace period for running jobs, and closing. */
const STOP_MS = 100_000;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
