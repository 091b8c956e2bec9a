import { type LogOutput, openLog } from '../log/log-output.ts';
import type { Logger } from '../log/logger.ts';
import { OperatorError } from '../operator-error.ts';
import { type Config, loadConfig, misspeltSettings } from '../settings/config.ts';
import type { Lifecycle } from './lifecycle.ts';
import { runProcess } from './run-process.ts';
import { surviveLostOutput } from './standard-streams.ts';
import { startWatchdog } from './watchdog.ts';

/** Given to every composition root. */
export interface ProcessContext {
  config: Config;
  logger: Logger;
  output: LogOutput;
  lifecycle: Lifecycle;
}

/**
 * Reads the configuration and runs a process of this kind; a wrong configuration is one line on
 * stderr and exit code 1.
 *
 * @param limits `closingMs`: time to stop beyond the grace period; default 0
 */
export function runConfigured(
  processKind: string,
  compose: (context: ProcessContext) => Promise<void>,
  { closingMs = 0 }: { closingMs?: number } = {},
): void {
  surviveLostOutput();
  const config = configOrExit();
  const { logger, output } = openLog({ level: config.logLevel, format: config.logFormat, processKind });
  startWatchdog(processKind, logger);
  const graceMs = config.shutdownGraceMs;
  runProcess({ logger, output, graceMs, stopMs: graceMs + closingMs }, (lifecycle) =>
    compose({ config, logger, output, lifecycle }),
  );
}

function configOrExit(): Config {
  try {
    const config = loadConfig();
    // Child processes of `npm start` would repeat it.
    if (!process.send) for (const line of misspeltSettings()) process.stderr.write(`${line}\n`);
    return config;
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    process.stderr.write(`${error.message}\n`);
    // An explicit exit: an IPC channel would keep the process alive.
    process.exit(1);
  }
}
