import { LineSink } from './line-sink.ts';
import { createLogger, formatLine, type LogFields, type Logger, type LoggerOptions } from './logger.ts';

/** The log on this process's standard output. */
export interface LogOutput {
  /** Lines that were not written, because the reader was too slow or the output failed. */
  readonly dropped: number;
  /** Before the process exits: waits briefly for pending lines, and reports those that are lost. */
  close(): Promise<void>;
}

/**
 * The logger of a process, on standard output. An output that is slow, full or gone costs only log
 * lines.
 */
export function openLog(options: LoggerOptions): { logger: Logger; output: LogOutput } {
  const lineOf = (event: string, fields: LogFields) => formatLine(options, 'warn', event, fields);
  const notice = (dropped: number) => lineOf('log_lines_dropped', { dropped });
  // The only other stream the operator may read.
  const standardError = new LineSink(process.stderr, { notice });
  const sink = new LineSink(process.stdout, {
    notice,
    onFailed: ({ code }) => standardError.write(lineOf('log_output_failed', { code })),
  });
  return {
    logger: createLogger(options, (line) => sink.write(line)),
    output: {
      get dropped() {
        return sink.dropped;
      },
      close: async () => {
        await sink.flush(FLUSH_MS);
        const { failure, dropped } = sink;
        if (!failure) return;
        standardError.write(lineOf('log_lines_dropped', { dropped, code: failure.code }));
        await standardError.flush(FLUSH_MS);
      },
    },
  };
}

/** A reader that takes nothing must not hold up the end of the process. */
const FLUSH_MS = 500;
