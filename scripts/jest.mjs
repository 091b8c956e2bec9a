// Jest with what our ES modules need of Node. Arguments are Jest's own, such as `--selectProjects unit`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startReaper } from '../test/support/processes/reaper.mjs';
import { ensureBuild } from './setup.mjs';
import { alone, root, runScript } from './steps.mjs';

/**
 * Runs Jest and then prints the closing line: no reporter can, since Jest itself may still have something to say.
 *
 * @returns {Promise<number>} Jest's exit code
 */
export async function runJest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'leadengine-jest-'));
  const closingLine = join(folder, 'closing-line');
  try {
    const exitCode = await run(args, { CLOSING_LINE_FILE: closingLine });
    const line = read(closingLine);
    // Jest failed before a test could run; without failing it has merely listed tests or printed its help.
    if (line ?? exitCode !== 0) console.log(line ?? '0 passed, 1 failed');
    return exitCode;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Jest is asked to end first; what does not, such as a frozen worker process, is made to. */
const END_MS = 2000;

function run(args, env) {
  const { NODE_OPTIONS = '' } = process.env;
  // In a group of its own, with its worker processes, which do not end with it on a signal. Only watching needs the terminal's keys.
  const detached = !args.some((arg) => arg.startsWith('--watch'));
  const jest = spawn(process.execPath, [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), ...args], {
    cwd: root,
    stdio: 'inherit',
    detached,
    // The warning says that the API of ES modules may change; a Jest or Node in which it has will tell.
    env: {
      ...process.env,
      ...env,
      NODE_OPTIONS: `${NODE_OPTIONS} --experimental-vm-modules --no-warnings`.trim(),
    },
  });
  const signal = (name) => {
    try {
      process.kill(detached ? -jest.pid : jest.pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  // Nothing that ends this process at once, such as a SIGKILL, reaches that group.
  const reaper = startReaper();
  if (detached && jest.pid) reaper.watch(-jest.pid);
  // What the tests started has reapers of its own, which see that Jest is gone.
  const end = () => {
    signal('SIGTERM');
    setTimeout(() => signal('SIGKILL'), END_MS).unref();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, end);
  return new Promise((resolve, reject) => {
    jest.on('error', reject);
    jest.on('close', (exitCode) => {
      // Its group may have outlived it.
      if (detached && jest.pid) signal('SIGKILL');
      if (jest.pid) reaper.forget(-jest.pid);
      reaper.end();
      resolve(exitCode ?? 1);
    });
  });
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runScript(async () => {
    // Tests that start whole processes start the compiled ones. While types are being worked on, the tests still run.
    await alone(() => ensureBuild({ onTypeErrors: (error) => process.stderr.write(`\n${error.message}\n`) }));
    process.exitCode = await runJest(process.argv.slice(2));
  });
}
