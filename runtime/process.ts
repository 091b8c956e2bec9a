import { type Config, ConfigError, loadConfig } from './config.ts';
import { type Lifecycle, runProcess } from './lifecycle.ts';
import { createLogger, type Logger } from './logger.ts';
import { startWatchdog } from './watchdog.ts';

/** What every composition root starts from. */
export interface ProcessContext {
  config: Config;
  logger: Logger;
  lifecycle: Lifecycle;
}

/** Reads the configuration and runs a process of this kind; a wrong configuration is one line on stderr and exit code 1. */
export function runConfigured(
  processKind: string,
  compose: (context: ProcessContext) => Promise<void>,
): void {
  const config = configOrExit();
  const logger = createLogger({ level: config.logLevel, format: config.logFormat, processKind });
  startWatchdog(processKind, logger);
  runProcess(logger, (lifecycle) => compose({ config, logger, lifecycle }));
}

function configOrExit(): Config {
  try {
    return loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    // At once: an IPC channel would keep a process alive that has nothing to do.
    process.exit(1);
  }
}
