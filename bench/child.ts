import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** A process the bench started: the product's, the bench's own, or a peer's. */
export interface Child {
  pid: number;
  /** What it sent when it was ready. */
  ready: { type: 'ready'; url?: string };
  /** Calls one of the functions it serves. */
  call<Result>(name: string, args?: unknown): Promise<Result>;
  /** Called when jobs start. */
  onBegun(listener: (begun: { key: string; at: number }) => void): void;
  stop(): Promise<void>;
}

interface Reply {
  id?: number;
  result?: unknown;
  error?: string;
  type?: string;
  event?: string;
}

const READY_MS = 60_000;
const STOP_MS = 40_000;
const running = new Set<ChildProcess>();
// All processes of the bench end with it, however it ends.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a program and waits until it reports that it is ready. Its output goes to a file of its
 * own in `dir`.
 */
export async function startChild(options: {
  /** Absolute path. */
  program: string;
  name: string;
  env: Record<string, string | undefined>;
  dir: string;
  execArgv?: string[];
}): Promise<Child> {
  mkdirSync(options.dir, { recursive: true });
  const logFile = join(options.dir, `${options.name}.log`);
  const log = openSync(logFile, 'a');
  const child = fork(options.program, [], {
    cwd: options.dir,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env },
    execArgv: options.execArgv ?? [],
    stdio: ['ignore', log, log, 'ipc'],
  });
  running.add(child);
  const calls = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  const listeners: ((begun: { key: string; at: number }) => void)[] = [];
  let lastCall = 0;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      running.delete(child);
      const error = new Error(`${options.name} ended (${exitCode ?? signal}); see ${logFile}`);
      for (const { reject } of calls.values()) reject(error);
      resolve();
    });
  });

  const ready = await new Promise<Child['ready']>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${options.name} is not ready; see ${logFile}`)),
      READY_MS,
    );
    void gone.then(() => reject(new Error(`${options.name} ended before it was ready; see ${logFile}`)));
    child.on('message', (message: Reply) => {
      if (message.type === 'ready') {
        clearTimeout(timer);
        resolve(message as Child['ready']);
      } else if (message.event === 'begun') {
        for (const listener of listeners) listener(message as unknown as { key: string; at: number });
      } else if (message.id !== undefined) {
        const call = calls.get(message.id);
        calls.delete(message.id);
        if (message.error) call?.reject(new Error(`${options.name}: ${message.error}`));
        else call?.resolve(message.result);
      }
    });
  });
  return {
    pid: Number(child.pid),
    ready,
    call: <Result>(name: string, args: unknown = {}) =>
      new Promise<Result>((resolve, reject) => {
        lastCall += 1;
        calls.set(lastCall, { resolve: resolve as (result: unknown) => void, reject });
        child.send({ id: lastCall, name, args });
      }),
    onBegun: (listener) => void listeners.push(listener),
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await gone;
      clearTimeout(late);
    },
  };
}
