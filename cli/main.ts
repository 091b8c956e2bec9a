import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { EXIT } from './exit-codes.ts';
import { explain, Interrupted, OutputClosed } from './failure.ts';
import { Output } from './output.ts';
import { createProgram, type GlobalFlags } from './program.ts';
import { connect } from './server/connection.ts';
import { foldersOf } from './server/folders.ts';

/** `leadengine …`: one command, then an exit code that says how it went. */

const stop = new AbortController();
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (stream === process.stdout) stop.abort(new OutputClosed());
  });
}

process.exitCode = await run(process.argv.slice(2));
// What is still open (a stream of events, a connection) must not hold the shell.
await flushed();
process.exit();

async function run(args: string[]): Promise<number> {
  const { DEBUG } = process.env;
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  const program = createProgram(version, contextOf);
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.done;
  } catch (thrown) {
    // Commander has said what is wrong; help and version end by an error too.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
    const error = stop.signal.aborted ? stop.signal.reason : thrown;
    const { line, exitCode } = explain(error);
    if (line !== null) process.stderr.write(`leadengine: ${line}\n`);
    if (exitCode === EXIT.unexpected && DEBUG) console.error(thrown);
    return exitCode;
  }
}

function contextOf({ server, key, json = false, quiet = false, color }: GlobalFlags) {
  const { stdin, stdout, stderr } = process;
  const env = process.env;
  const folders = foldersOf(env);
  const { signal } = stop;
  const isColored = color && !env.NO_COLOR && stdout.isTTY === true && env.TERM !== 'dumb';
  const output = new Output(stdout, stderr, { json, quiet, color: isColored });
  return {
    ...{ output, signal, env, folders, stdin, given: { server, key } },
    connect: ({ mayStart = true } = {}) => connect({ server, key, env, folders, output, signal, mayStart }),
  };
}

/** The first cancels what runs, in order; the second does not wait for that. */
function interrupt(): void {
  if (stop.signal.aborted) process.exit(EXIT.interrupted);
  stop.abort(new Interrupted());
}

function flushed(): Promise<void> {
  if (process.stdout.destroyed || process.stdout.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    process.stdout.once('error', () => resolve());
    process.stdout.write('', () => resolve());
  });
}
