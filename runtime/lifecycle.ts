import type { Logger } from './logger.ts';
import { Complaint } from './operator-error.ts';

/** Something long-lived. `stop` may be called more than once. */
export interface Part {
  name: string;
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/**
 * Starts parts in the order given and stops those that started in the opposite order, so that whatever a part needs is
 * there for as long as it runs.
 */
export class Lifecycle {
  readonly #started: Part[] = [];
  #stopping: Promise<void> | undefined;

  constructor(
    private readonly logger: Logger,
    private readonly onBroken: (error: Error) => void = () => {},
  ) {}

  /** For a part that learned that it will never work again: ends the process in order, with exit code 1. */
  breakDown(error: Error): void {
    this.onBroken(error);
  }

  async start(part: Part): Promise<void> {
    // Pushed before it has started: a part that failed half way is stopped too.
    this.#started.push(part);
    await part.start?.();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const part of this.#started.toReversed()) {
      try {
        await part.stop?.();
      } catch (error) {
        // One part's failure must not keep the others open.
        this.logger.error('stop_failed', { part: part.name, error });
      }
    }
  }
}

/** Ctrl-C reaches a process twice within moments: once from the terminal and once through npm. That is one request to stop. */
const SAME_SIGNAL_MS = 500;

/**
 * Runs a process: builds and starts everything, stops in order on SIGTERM, SIGINT or the death of the process that started
 * this one, and exits 0. A second signal exits at once. A failed start, a part that broke down, or an error nobody caught exits 1;
 * what the operator can mend is told on standard error in one line.
 */
export function runProcess(logger: Logger, compose: (lifecycle: Lifecycle) => Promise<void>): void {
  let signalledAt = 0;
  let isBroken = false;
  const lifecycle = new Lifecycle(logger, (error) => {
    if (isBroken || signalledAt > 0) return;
    isBroken = true;
    logger.error('process_broken', { error });
    process.stderr.write(`${error.message}; this process ends\n`);
    void end(1);
  });

  const end = async (exitCode: number): Promise<never> => {
    await lifecycle.stop();
    logger.info('process_stopped', { exit_code: exitCode });
    process.exit(exitCode);
  };
  const onSignal = (signal: string) => {
    if (signalledAt === 0) {
      signalledAt = Date.now();
      logger.info('process_stopping', { signal });
      void end(0);
    } else if (Date.now() - signalledAt > SAME_SIGNAL_MS) {
      logger.warn('process_stopped_at_once', { signal });
      process.exit(1);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  // Only a process started with an IPC channel hears this: its parent is gone, and nobody would ever stop it.
  process.on('disconnect', () => onSignal('parent_gone'));

  const onFatal = (event: string) => (error: unknown) => {
    logger.error(event, { error });
    void end(1);
  };
  process.on('uncaughtException', onFatal('uncaught_exception'));
  process.on('unhandledRejection', onFatal('unhandled_rejection'));

  compose(lifecycle).catch((error) => {
    if (!(error instanceof Complaint)) return onFatal('start_failed')(error);
    process.stderr.write(`${error.message}\n`);
    void lifecycle.stop().then(() => process.exit(1));
  });
}
