import type { LogOutput } from '../log/log-output.ts';
import type { Logger } from '../log/logger.ts';
import { OperatorError } from '../operator-error.ts';
import { Lifecycle } from './lifecycle.ts';

export interface ProcessOptions {
  logger: Logger;
  output: LogOutput;
  /** How long what is under way may take once the process is told to stop. */
  graceMs: number;
  /** How long it may take to stop altogether, and then it exits all the same; default the grace. */
  stopMs?: number | undefined;
}

/** Closing what is well takes a moment, also where there is no grace for work. */
const SHORTEST_STOP_MS = 3000;
/** Ctrl-C reaches a process twice within moments: once from the terminal and once through npm. That is one request to stop. */
const SAME_SIGNAL_MS = 500;
const STILL_WAITING_MS = 5000;

/**
 * Runs a process: builds and starts everything, stops in order on SIGTERM, SIGINT, SIGHUP or the death of the process that started
 * this one, and exits 0. A second signal exits at once, and so does a stop that takes longer than it may. A failed start, a part
 * that broke down, or an error that was not caught exits 1; what the operator can mend is told on standard error in one line.
 */
export function runProcess(
  { logger, output, graceMs, stopMs = graceMs }: ProcessOptions,
  compose: (lifecycle: Lifecycle) => Promise<void>,
): void {
  let signalledAt = 0;
  let isBroken = false;
  const lifecycle = new Lifecycle(logger, Math.max(stopMs, SHORTEST_STOP_MS), (error) => {
    if (isBroken || signalledAt > 0) return;
    isBroken = true;
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
      if (signal === 'SIGINT') tellWhatIsWaitedFor(lifecycle, graceMs);
    } else if (Date.now() - signalledAt > SAME_SIGNAL_MS) {
      logger.warn('process_stopped_at_once', { signal, waiting_for: lifecycle.waitingFor() });
      // Not after a flush: whoever asks twice wants no more waiting.
      process.exit(1);
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
  // Only a process started with an IPC channel hears this: its parent is gone, and nothing else would ever stop it.
  process.on('disconnect', () => onSignal('parent_gone'));

  const onFatal = (event: string) => (error: unknown) => {
    logger.error(event, { error });
    void end(1);
  };
  process.on('uncaughtException', onFatal('uncaught_exception'));
  process.on('unhandledRejection', onFatal('unhandled_rejection'));

  // It may have gone while this process was still loading its modules.
  if (process.send && !process.connected) {
    onSignal('parent_gone');
    return;
  }
  compose(lifecycle).catch((error) => {
    // What fails once a stop was asked for fails because of it.
    if (signalledAt > 0) return;
    if (!(error instanceof OperatorError)) return onFatal('start_failed')(error);
    process.stderr.write(`${error.message}\n`);
    void lifecycle.stop().then(() => exit(1));
  });
}

/** For the person who pressed Ctrl-C and waits. */
function tellWhatIsWaitedFor(lifecycle: Lifecycle, graceMs: number): void {
  const names = () => lifecycle.waitingFor().join(', ');
  if (names() === '') return;
  process.stderr.write(
    `\n  Stopping ${names()}: what is under way gets up to ${graceMs / 1000} s. Ctrl-C again stops at once.\n`,
  );
  setInterval(() => {
    if (names() !== '') process.stderr.write(`  Still waiting for ${names()}. Ctrl-C again stops at once.\n`);
  }, STILL_WAITING_MS).unref();
}
