// Runs Jest with the Node options for ES modules. Arguments are Jest's own, such as
// `--selectProjects unit`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startReaper } from '../test/support/processes/reaper.mjs';
import { ensureBuild } from './setup.mjs';
import { alone, root, runScript } from './steps.mjs';

/**
 * Runs Jest and then prints the closing line. A reporter could not: Jest may print after it.
 *
 * @returns {Promise<number>} Jest's exit code
 */
export async function runJest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'leadengine-jest-'));
  const closingLine = join(folder, 'closing-line');
  try {
    const exitCode = await run(args, { CLOSING_LINE_FILE: closingLine });
    const line = read(closingLine);
    // No line and a failure: Jest failed before any test. No line and success: it listed tests or
    // printed help.
    if (line ?? exitCode !== 0) console.log(line ?? '0 passed, 1 failed');
    return exitCode;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Time after SIGTERM until SIGKILL, for processes that do not end, such as a frozen worker. */
const END_MS = 2000;

function run(args, env) {
  const { NODE_OPTIONS = '' } = process.env;
  // In its own process group with its workers, which do not end with it on a signal. Watching needs
  // the terminal.
  const detached = !args.some((arg) => arg.startsWith('--watch'));
  const jest = spawn(process.execPath, [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), ...args], {
    cwd: root,
    stdio: 'inherit',
    detached,
    // --no-warnings hides Node's notice that the API of ES modules is experimental.
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
  // A SIGKILL of this process does not reach that group; the reaper ends it.
  const reaper = startReaper();
  if (detached && jest.pid) reaper.watch(-jest.pid);
  // Processes that tests started have guards of their own, which end them when Jest is gone.
  const end = () => {
    signal('SIGTERM');
    setTimeout(() => signal('SIGKILL'), END_MS).unref();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, end);
  return new Promise((resolve, reject) => {
    jest.on('error', reject);
    jest.on('close', (exitCode) => {
      // Its process group may outlive it.
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
    // Tests of whole processes start the compiled programs. Type errors do not stop the tests.
    await alone(() => ensureBuild({ onTypeErrors: (error) => process.stderr.write(`\n${error.message}\n`) }));
    process.exitCode = await runJest(process.argv.slice(2));
  });
}
