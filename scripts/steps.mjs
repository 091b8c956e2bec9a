// Shared by the set-up steps: running commands quietly, printing progress, one set-up at a time per
// folder. Plain JavaScript that needs only Node: it runs before anything is installed or built.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** An error that the user of the command can correct; the message says how. */
export class SetupError extends Error {}

/**
 * Runs `main` and ends the process on a failure: with one clear line for a SetupError, with a stack
 * for a bug.
 */
export async function runScript(main) {
  // The output may be closed; without a listener the error would end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    await main();
  } catch (error) {
    console.error(error instanceof SetupError ? `leadengine: ${error.message}` : error);
    process.exit(1);
  }
}

/**
 * Stops this process in order when the npm that started it ends, however it ended: nothing else
 * would stop it. (The npm scripts begin with `exec`: npm's signals would end a shell in between and
 * not arrive here.)
 */
export function endWithNpm() {
  if (!process.env.npm_lifecycle_event) return;
  const npm = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}

/**
 * Prints one line per step with its duration; on standard error, so that standard output is the
 * program's.
 */
export async function step(what, work) {
  const begun = Date.now();
  process.stderr.write(`leadengine: ${what} … `);
  try {
    const result = await work();
    process.stderr.write(`${((Date.now() - begun) / 1000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stderr.write('failed\n');
    throw error;
  }
}

/** Runs a command without showing its output. @throws SetupError with an excerpt of the output */
export async function run(command, args, options = {}) {
  const { exitCode, output } = await capture(command, args, options);
  if (exitCode !== 0) {
    throw new SetupError(`\`${[command, ...args].join(' ')}\` failed (${exitCode})\n${excerpt(output)}`);
  }
  return output;
}

/** Beginning and end of an output: npm prints its reason first, apt and compilers last. */
export function excerpt(output) {
  const lines = output.trim().split('\n');
  return (lines.length <= 24 ? lines : [...lines.slice(0, 8), '…', ...lines.slice(-14)]).join('\n');
}

const commands = new Set();

/**
 * Runs a command; resolves with its exit code and output, also if it fails or cannot be started.
 */
export function capture(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    commands.add(child);
    let output = '';
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const end = (result) => {
      commands.delete(child);
      resolve(result);
    };
    child.on('error', (error) => end({ exitCode: error.code ?? 'not started', output: error.message }));
    child.on('close', (exitCode, signal) => end({ exitCode: exitCode ?? signal, output }));
  });
}

/**
 * Longer than any install takes: an older lock is stale, even if its process id is in use again.
 */
const LOCK_LIFE_MS = 30 * 60_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Holds this folder's set-up lock while `work` runs. The lock of a dead process is ignored. A
 * signal ends the set-up's commands, and then this process.
 */
export async function alone(work) {
  const folder = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `leadengine-setup-${folder}-${process.getuid?.() ?? 0}.lock`);
  for (let isReported = false; !take(lock); ) {
    const holder = holderOf(lock);
    if (holder === undefined) continue;
    if (!isReported)
      process.stderr.write(`leadengine: waiting for the set-up that runs in this folder (pid ${holder})\n`);
    isReported = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const onSignal = () => {
    for (const command of commands) command.kill('SIGTERM');
    rmSync(lock, { force: true });
    process.exit(1);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work();
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Id of the living process that holds the lock; a stale lock is removed. */
function holderOf(lock) {
  try {
    const age = Date.now() - statSync(lock).mtimeMs;
    const pid = Number(readFileSync(lock, 'utf8'));
    // Empty for a moment, between its creation and its write.
    if (age < LOCK_LIFE_MS && (pid ? isRunning(pid) : age < 2000)) return pid || 'unknown';
    rmSync(lock, { force: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return undefined;
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
