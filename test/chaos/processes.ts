import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Reaper } from '../support/processes/reaper.mjs';

/** One life of a process: from a start to its end, by one process id. */
export interface Life {
  pid: number;
  startedAt: number;
  endedAt: number | undefined;
}

/** A process of the installation that is started again whenever it ends, as a supervisor does. */
export interface Kept {
  name: string;
  /** What it said when it was ready, undefined while it is not. */
  readonly url: string | undefined;
  readonly ready: boolean;
  readonly pid: number | undefined;
  lives: Life[];
  signal(signal: NodeJS.Signals): void;
  /** Tells it something over IPC. */
  send(message: object): void;
  /** Resolves at the next end of this process, or false after `ms`. */
  ends(ms: number): Promise<boolean>;
  /** SIGTERM, or SIGKILL where that is not obeyed; not started again. */
  stop(): Promise<void>;
}

const RESTART_MS = 300;
/** One that fails at once is started again ever more slowly, up to this. */
const RESTART_LIMIT_MS = 3000;
const STOP_MS = 15_000;

export function keepProcess(options: {
  name: string;
  entry: string;
  /** Where the compiled programs are; by default where this one was compiled to. */
  build?: string | undefined;
  env: Record<string, string>;
  clockShiftMs?: number;
  logFolder: string;
  reaper: Reaper;
}): Kept {
  const { name, reaper } = options;
  const lives: Life[] = [];
  let child: ChildProcess | undefined;
  let url: string | undefined;
  let ready = false;
  let stopping = false;
  let restart: NodeJS.Timeout | undefined;
  let failures = 0;
  const waiters = new Set<() => void>();

  const start = () => {
    const log = openSync(join(options.logFolder, `${name}.log`), 'a');
    const build = options.build ?? join(import.meta.dirname, '..', '..');
    const started = fork(join(build, options.entry), [], {
      // Not the checkout, whose `.env` would be read.
      cwd: options.logFolder,
      execArgv: ['--enable-source-maps', '--import', join(import.meta.dirname, 'faults', 'clock.mjs')],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        ...options.env,
        CHAOS_CLOCK_SHIFT_MS: String(options.clockShiftMs ?? 0),
      },
      stdio: ['ignore', log, log, 'ipc'],
      // A Ctrl-C at the harness is not its to handle.
      detached: true,
    });
    closeSync(log);
    const life: Life = { pid: Number(started.pid), startedAt: Date.now(), endedAt: undefined };
    lives.push(life);
    reaper.watch(life.pid);
    child = started;
    started.on('error', () => {});
    started.on('message', (message: { type?: string; url?: string }) => {
      if (message.type !== 'ready') return;
      ({ url } = message);
      ready = true;
      failures = 0;
    });
    started.once('exit', () => {
      life.endedAt = Date.now();
      reaper.forget(life.pid);
      ready = false;
      url = undefined;
      child = undefined;
      for (const wake of [...waiters]) wake();
      failures += 1;
      if (!stopping) restart = setTimeout(start, Math.min(RESTART_MS * failures, RESTART_LIMIT_MS));
    });
  };
  start();

  const ends = (ms: number) =>
    new Promise<boolean>((resolve) => {
      const done = (ended: boolean) => {
        clearTimeout(timer);
        waiters.delete(wake);
        resolve(ended);
      };
      const wake = () => done(true);
      const timer = setTimeout(() => done(false), ms);
      waiters.add(wake);
    });
  return {
    name,
    lives,
    get url() {
      return url;
    },
    get ready() {
      return ready;
    },
    get pid() {
      return child?.pid;
    },
    signal: (signal) => void child?.kill(signal),
    send: (message) => {
      if (child?.connected) child.send(message, () => {});
    },
    ends,
    stop: async () => {
      stopping = true;
      clearTimeout(restart);
      if (!child) return;
      // One that is frozen hears nothing else.
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      if (await ends(STOP_MS)) return;
      child?.kill('SIGKILL');
      await ends(STOP_MS);
    },
  };
}
