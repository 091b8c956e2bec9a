import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** What a process may have for its standard output and standard error. */
export const OUTPUTS = ['read', 'gone', 'never read', 'full', 'closed'] as const;
export type Output = (typeof OUTPUTS)[number];

/** Runs this file in Node, with an IPC channel, in a process group of its own. */
export function spawnNode(
  file: string,
  { output, cwd, env }: { output: Output; cwd: string; env: NodeJS.ProcessEnv },
): ChildProcess {
  const node = [process.execPath, '--enable-source-maps', file];
  const [program = '', ...args] = output === 'closed' ? ['/bin/sh', '-c', CLOSED, 'sh', ...node] : node;
  // Refuses every byte, as a disk without room does.
  const full = output === 'full' ? openSync('/dev/full', 'w') : undefined;
  const child = spawn(program, args, {
    ...{ cwd, env },
    stdio: ['ignore', full ?? 'pipe', full ?? 'pipe', 'ipc'],
    // As under supervisor/main.ts: a Ctrl-C at the tests is not its to handle.
    detached: true,
  });
  if (full !== undefined) closeSync(full);
  if (output === 'gone') {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
  return child;
}

const CLOSED = 'exec "$@" >&- 2>&-';
