import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Reaper } from '../support/processes/reaper.mjs';

/** One life of a process: from a start to its end, with one pid. */
export interface Life {
  pid: number;
  startedAt: number;
  endedAt: number | undefined;
}

/** A process of the installation that is restarted whenever it ends, as by a supervisor. */
export interface Kept {
  name: string;
  /** Its ready message, undefined while it is not ready. */
  readonly url: string | undefined;
  readonly ready: boolean;
  readonly pid: number | undefined;
  lives: Life[];
  signal(signal: NodeJS.Signals): void;
  /** Sends it a message over IPC. */
  send(message: object): void;
  /** Resolves at the next end of this process, or false after `ms`. */
  ends(ms: number): Promise<boolean>;
  /** SIGTERM, or SIGKILL if it does not end; not restarted. */
  stop(): Promise<void>;
}

const RESTART_MS = 300;
/** The longest back-off of a process that fails at once. */
const RESTART_LIMIT_MS = 3000;
const STOP_MS = 15_000;

export function keepProcess(options: {
  name: string;
  entry: string;
  /** The folder of the compiled programs; by default that of this one. */
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
      // In its own process group: a Ctrl-C at the terminal is for the harness only.
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
      // A frozen process handles no other signal.
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      if (await ends(STOP_MS)) return;
      child?.kill('SIGKILL');
      await ends(STOP_MS);
    },
  };
}
