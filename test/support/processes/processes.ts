import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { type Output, spawnNode } from '../outputs.ts';
import { type Reaper, startReaper } from './reaper.mjs';

/** A process of ours as it runs in production: compiled, with an IPC channel to its parent. */
export interface RunningProcess {
  pid: number;
  /** Its ready message, such as `{type: 'ready', url}`. */
  ready: ReadyMessage;
  /** Everything it wrote to standard output and standard error so far. */
  output(): string;
  /** Its JSON log lines named `event` so far. */
  logged(event: string): Record<string, unknown>[];
  /** Sends SIGTERM; resolves with its exit code. SIGKILL after 60 s. */
  stop(): Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
  /** Sends SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  exited: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
}

export interface ReadyMessage {
  type: 'ready';
  url?: string;
  apiKey?: string;
  apiKeyFile?: string;
}

const running = new Set<ChildProcess>();
/** For a Ctrl-C at the tests, on which Jest's processes exit at once. */
let reaper: Reaper | undefined;

/**
 * Starts a compiled entry point, such as `api/main.js`, and waits until it is ready. Processes that
 * a test file leaves running are killed at its end.
 *
 * @param env added to PATH and HOME; nothing else of the tests' own environment is passed on
 * @param options `output`: where its output goes, by default it is read here
 * @throws with its output, if it exits or is silent for `timeoutMs` (default 30 s) instead
 */
export async function startProcess(
  entry: string,
  env: Record<string, string>,
  {
    timeoutMs = 30_000,
    cwd,
    output: kind,
    whileStarting,
  }: {
    timeoutMs?: number;
    cwd?: string;
    output?: Output;
    whileStarting?: (output: () => string, pid: number) => void;
  } = {},
): Promise<RunningProcess> {
  const { child, exited, output } = launch(entry, env, cwd, kind);
  whileStarting?.(output, Number(child.pid));
  const ready = await new Promise<ReadyMessage>((resolve, reject) => {
    const giveUp = (why: string) => {
      child.kill('SIGKILL');
      reject(new Error(`${entry} ${why}:\n${output()}`));
    };
    const late = setTimeout(() => giveUp(`was not ready after ${timeoutMs} ms`), timeoutMs);
    child.on('message', (message) => {
      if (!isReady(message)) return;
      clearTimeout(late);
      resolve(message);
    });
    void exited.then(({ exitCode, signal }) => {
      clearTimeout(late);
      giveUp(`ended (${exitCode ?? signal}) before it was ready`);
    });
  });
  return {
    pid: Number(child.pid),
    ready,
    output,
    logged: (event) => linesOf(output()).filter((line) => line.message === event),
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
      const { exitCode } = await exited;
      clearTimeout(late);
      return exitCode;
    },
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    exited,
  };
}

/**
 * Runs a compiled entry point or a script to its end, for cases in which it must refuse to start.
 */
export async function runToEnd(
  entry: string,
  env: Record<string, string>,
  { timeoutMs = 30_000, cwd }: { timeoutMs?: number; cwd?: string } = {},
): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null; output: string }> {
  const { child, exited, output } = launch(entry, env, cwd);
  const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const end = await exited;
  clearTimeout(late);
  return { ...end, output: output() };
}

const root = join(import.meta.dirname, '..', '..', '..');

function launch(entry: string, env: Record<string, string>, cwd = root, kind: Output = 'read') {
  const child = spawnNode(join(root, 'dist', entry), {
    ...{ cwd, output: kind },
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  });
  running.add(child);
  const group = -Number(child.pid);
  reaper ??= startReaper();
  if (child.pid) reaper.watch(group);
  let said = '';
  const collect = (chunk: string) => {
    said += chunk;
  };
  if (kind === 'read') {
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
  }
  const exited = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>(
    (resolve, reject) => {
      child.once('error', reject);
      // `close`, not `exit`: by then all its output has been read.
      child.once('close', (exitCode, signal) => {
        running.delete(child);
        reaper?.forget(group);
        resolve({ exitCode, signal });
      });
    },
  );
  return { child, exited, output: () => said };
}

const isReady = (message: unknown): message is ReadyMessage =>
  typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready';

function linesOf(output: string): Record<string, unknown>[] {
  return output.split('\n').flatMap((line) => {
    try {
      return line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : [];
    } catch {
      return [];
    }
  });
}

afterAll(async () => {
  const left = [...running];
  const gone = left.map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of left) child.kill('SIGKILL');
  await Promise.all(gone);
  reaper?.end();
});
