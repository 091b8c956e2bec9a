import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../runtime/log/logger.ts';
import { OperatorError } from '../runtime/operator-error.ts';
import { writeWithoutBlocking } from '../runtime/process/standard-streams.ts';

/** Sent by a process to its parent when it is ready. */
export interface ReadyMessage {
  type: 'ready';
  /** API only: where it listens. */
  url?: string;
  /** API only: the first admin's key, if it was created by this start. */
  apiKey?: string;
  /** API only: the file that holds that key. */
  apiKeyFile?: string;
  /** API only: the first admin's key was revoked. */
  apiKeyRevoked?: boolean;
}

/** Why a process could not be started; the message is for the operator. */
class ChildStartError extends OperatorError {
  override name = 'ChildStartError';
}

export interface SupervisedProcessOptions {
  name: string;
  /** Absolute path of a compiled entry point. */
  entry: string;
  env: NodeJS.ProcessEnv;
  /** Whom it runs as, and where; undefined: as its parent. */
  user?: { uid: number; gid: number; home: string } | undefined;
  /** Time to stop before it is killed. */
  stopMs: number;
  logger: Logger;
}

/**
 * A child process that is restarted whenever it ends without being stopped. It leads a process
 * group of its own, so that Ctrl-C at the terminal reaches only its parent, which stops everything
 * in order. If the parent is killed, the child notices by its IPC channel and stops.
 */
export class SupervisedProcess {
  #child: ChildProcess | undefined;
  #stopping = new AbortController();
  #failures = 0;
  #added: NodeJS.ProcessEnv = {};

  constructor(private readonly options: SupervisedProcessOptions) {}

  get name(): string {
    return this.options.name;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** From its next start on. */
  addEnvironment(more: NodeJS.ProcessEnv): void {
    this.#added = { ...this.#added, ...more };
  }

  /**
   * Starts it and waits until it is ready; from then on it is restarted whenever it ends.
   *
   * @returns undefined if it was stopped before it was ready
   * @throws ChildStartError if it ends instead
   */
  async start(): Promise<ReadyMessage | undefined> {
    const run = this.#launch();
    const first = await Promise.race([run.ready, run.ended]);
    if (this.#stopping.signal.aborted) return undefined;
    if (first.type === 'ready') {
      void this.#keepRunning(run);
      return first;
    }
    throw new ChildStartError(`the ${this.options.name} did not start: ${first.reason}`);
  }

  /**
   * The same, but a failed start is retried like any other end. Resolves when ready or after the
   * first failure.
   */
  async supervise(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const run = this.#launch();
    void this.#keepRunning(run);
    await Promise.race([run.ready, run.ended]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (!child) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const late = setTimeout(() => {
      this.options.logger.error('process_killed', { name: this.options.name, after_ms: this.options.stopMs });
      killGroup(child);
    }, this.options.stopMs);
    await gone;
    clearTimeout(late);
  }

  /** For a parent that exits now. */
  killAtOnce(): void {
    this.#stopping.abort();
    if (this.#child) killGroup(this.#child);
  }

  async #keepRunning(run: Run): Promise<void> {
    const { logger, name } = this.options;
    const stopping = this.#stopping.signal;
    for (let current = run; ; current = this.#launch()) {
      const { reason, ranMs } = await current.ended;
      if (stopping.aborted) return;
      this.#failures = ranMs > STEADY_MS ? 1 : this.#failures + 1;
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (this.#failures - 1), LONGEST_DELAY_MS);
      logger.error('process_died', { name, reason, ran_ms: ranMs, restart_in_ms: delayMs });
      await sleep(delayMs, undefined, { signal: stopping }).catch(() => {});
      if (stopping.aborted) return;
    }
  }

  #launch(): Run {
    const { entry, env, logger, name, user } = this.options;
    const begun = Date.now();
    const child = fork(entry, [], {
      env: { ...env, ...this.#added },
      ...(user ? { uid: user.uid, gid: user.gid, cwd: user.home } : {}),
      detached: true,
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    writeWithoutBlocking();
    this.#child = child;
    logger.debug('process_started', { name, child_pid: child.pid });
    const ready = new Promise<ReadyMessage>((resolve) => {
      child.on('message', (message: ReadyMessage) => {
        if (message.type === 'ready') resolve(message);
      });
    });
    const ended = new Promise<End>((resolve) => {
      const end = (what: string) => {
        // Its own children, such as a browser, must not outlive it.
        killGroup(child);
        if (this.#child === child) this.#child = undefined;
        resolve({ type: 'ended', reason: what, ranMs: Date.now() - begun });
      };
      child.once('error', (error) => end(error.message));
      child.once('exit', (exitCode, signal) =>
        end(signal ? `it was ended by ${signal}` : `it ended with code ${exitCode}, for the reason above`),
      );
    });
    return { ready, ended };
  }
}

interface Run {
  ready: Promise<ReadyMessage>;
  ended: Promise<End>;
}

interface End {
  type: 'ended';
  reason: string;
  ranMs: number;
}

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30_000;
/** An end after this long restarts the back-off: it is not a repetition of the last failure. */
const STEADY_MS = 60_000;

function killGroup(child: ChildProcess): void {
  if (!child.pid) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
