// Jest with what our ES modules need of Node. Arguments are Jest's own, such as `--selectProjects unit`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startGuard } from '../test/support/processes/guard.mjs';
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

function run(args, env) {
  const { NODE_OPTIONS = '' } = process.env;
  // Its worker processes do not end with it on a SIGTERM: they get it too, as a group. At a terminal they stay in the terminal's.
  const detached = !process.stdin.isTTY;
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
    if (jest.exitCode === null && jest.signalCode === null)
      process.kill(detached ? -jest.pid : jest.pid, name);
  };
  // In a group of its own nothing that ends ours at once, such as a SIGKILL, reaches it.
  const guard = startGuard();
  if (detached && jest.pid) guard.watch(-jest.pid);
  // A Ctrl-C at a terminal reaches Jest by itself. Either way this process waits for what Jest ends.
  process.on('SIGINT', () => detached && signal('SIGINT'));
  process.on('SIGTERM', () => signal('SIGTERM'));
  return new Promise((resolve, reject) => {
    jest.on('error', reject);
    jest.on('close', (exitCode) => {
      if (jest.pid) guard.forget(-jest.pid);
      guard.end();
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
