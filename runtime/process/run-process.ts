import type { LogOutput } from '../log/log-output.ts';
import type { Logger } from '../log/logger.ts';
import { OperatorError } from '../operator-error.ts';
import { Lifecycle } from './lifecycle.ts';

export interface ProcessOptions {
  logger: Logger;
  output: LogOutput;
  /** Time for running work after a stop signal. */
  graceMs: number;
  /** Time for the whole stop, after which the process exits anyway; default `graceMs`. */
  stopMs?: number | undefined;
}

/** Closing connections takes time even without a grace period for work. */
const SHORTEST_STOP_MS = 3000;
/**
 * Ctrl-C reaches a process twice, from the terminal and through npm; within this time it counts
 * once.
 */
const SAME_SIGNAL_MS = 500;
const STILL_WAITING_MS = 5000;

/**
 * Runs a process: starts everything, stops in order on SIGTERM, SIGINT, SIGHUP or the death of its
 * parent process, and exits 0. A second signal, or a stop longer than `stopMs`, exits at once. A
 * failed start, a failed part or an uncaught error exits 1; an OperatorError is printed on standard
 * error as one line.
 */
export function runProcess(
  { logger, output, graceMs, stopMs = graceMs }: ProcessOptions,
  compose: (lifecycle: Lifecycle) => Promise<void>,
): void {
  let signalledAt = 0;
  let hasFailed = false;
  const lifecycle = new Lifecycle(logger, Math.max(stopMs, SHORTEST_STOP_MS), (error) => {
    if (hasFailed || signalledAt > 0) return;
    hasFailed = true;
    logger.error('process_failed', { error });
    process.stderr.write(`${error.message}; this process ends\n`);
    void end(1);
  });

  const exit = async (exitCode: number): Promise<never> => {
    await output.close();
    process.exit(exitCode);
  };
  const end = async (exitCode: number): Promise<never> => {
    await lifecycle.stop();
    logger.info('process_stopped', { exit_code: exitCode });
    return exit(exitCode);
  };
  const onSignal = (signal: string) => {
    if (signalledAt === 0) {
      signalledAt = Date.now();
      logger.info('process_stopping', { signal, grace_ms: graceMs });
      void end(0);
      if (signal === 'SIGINT') reportWaiting(lifecycle, graceMs);
    } else if (Date.now() - signalledAt > SAME_SIGNAL_MS) {
      logger.warn('process_stopped_at_once', { signal, waiting_for: lifecycle.waitingFor() });
      // Without a flush: a second signal asks for an immediate exit.
      process.exit(1);
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
  // Emitted only with an IPC channel: the parent is gone, and nothing else would stop this process.
  process.on('disconnect', () => onSignal('parent_gone'));

  const onFatal = (event: string) => (error: unknown) => {
    logger.error(event, { error });
    void end(1);
  };
  process.on('uncaughtException', onFatal('uncaught_exception'));
  process.on('unhandledRejection', onFatal('unhandled_rejection'));

  // The parent may have ended while this process was loading its modules.
  if (process.send && !process.connected) {
    onSignal('parent_gone');
    return;
  }
  compose(lifecycle).catch((error) => {
    // After a stop signal a failed start is a consequence of the stop.
    if (signalledAt > 0) return;
    if (!(error instanceof OperatorError)) return onFatal('start_failed')(error);
    process.stderr.write(`${error.message}\n`);
    void lifecycle.stop().then(() => exit(1));
  });
}

/** Prints what a stop waits for, for the operator who pressed Ctrl-C. */
function reportWaiting(lifecycle: Lifecycle, graceMs: number): void {
  const names = () => lifecycle.waitingFor().join(', ');
  if (names() === '') return;
  process.stderr.write(
    `\n  Stopping ${names()}: what is under way gets up to ${graceMs / 1000} s. Ctrl-C again stops at once.\n`,
  );
  setInterval(() => {
    if (names() !== '') process.stderr.write(`  Still waiting for ${names()}. Ctrl-C again stops at once.\n`);
  }, STILL_WAITING_MS).unref();
}
