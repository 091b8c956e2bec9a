// What the set-up steps share: running commands quietly, telling progress, and one set-up at a time in a folder.
// Plain JavaScript with nothing but Node: it runs before anything is installed or built.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Something the person who runs the command can put right; the message says how. */
export class SetupError extends Error {}

/** Runs `main` and ends the process on a failure: with one clear line for a SetupError, with a stack for a bug. */
export async function runScript(main) {
  // What these lines say may be read by nobody any more; without a listener that would end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    await main();
  } catch (error) {
    console.error(error instanceof SetupError ? `leadengine: ${error.message}` : error);
    process.exit(1);
  }
}

/**
 * Stops this process in order when the npm that started it is gone, however it went: nobody else could stop it then. (Our npm
 * scripts begin with `exec`, since npm's signals would end the shell in between and not reach us.)
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

/** One line a step, with the time it took; on standard error, so that standard output holds what the program itself says. */
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

/** Runs a command to its end and shows nothing, unless it fails: then the error holds the end of what it said. */
export async function run(command, args, options = {}) {
  const { exitCode, output } = await capture(command, args, options);
  if (exitCode !== 0) {
    throw new SetupError(`\`${[command, ...args].join(' ')}\` failed (${exitCode})\n${excerpt(output)}`);
  }
  return output;
}

/** Begin and end: npm gives its reason first, apt and compilers last. */
export function excerpt(output) {
  const lines = output.trim().split('\n');
  return (lines.length <= 24 ? lines : [...lines.slice(0, 8), '…', ...lines.slice(-14)]).join('\n');
}

const commands = new Set();

/** Runs a command to its end, whatever that is. */
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

/** Longer than any install takes: a lock this old is a dead one whose process number was given out again. */
const LOCK_LIFE_MS = 30 * 60_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Holds this folder's set-up lock while `work` runs. The lock of a process that was killed counts for nothing. A signal meanwhile
 * ends the commands that the set-up runs, and then this process.
 */
export async function alone(work) {
  const folder = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `leadengine-setup-${folder}-${process.getuid?.() ?? 0}.lock`);
  for (let told = false; !take(lock); ) {
    const holder = holderOf(lock);
    if (holder === undefined) continue;
    if (!told)
      process.stderr.write(`leadengine: waiting for the set-up that runs in this folder (pid ${holder})\n`);
    told = true;
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

/** The living process that holds the lock; a dead one's lock is removed. */
function holderOf(lock) {
  try {
    const age = Date.now() - statSync(lock).mtimeMs;
    const pid = Number(readFileSync(lock, 'utf8'));
    // Empty for a moment, between its making and its writing.
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
