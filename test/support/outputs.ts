import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** Kinds of standard output and standard error that a process may have. */
export const OUTPUTS = ['read', 'gone', 'never read', 'full', 'closed'] as const;
export type Output = (typeof OUTPUTS)[number];

/** Runs this file in Node, with an IPC channel, in a process group of its own. */
export function spawnNode(
  file: string,
  { output, cwd, env }: { output: Output; cwd: string; env: NodeJS.ProcessEnv },
): ChildProcess {
  const node = [process.execPath, '--enable-source-maps', file];
  const [program = '', ...args] = output === 'closed' ? ['/bin/sh', '-c', CLOSED, 'sh', ...node] : node;
  // Rejects every write, like a full disk.
  const full = output === 'full' ? openSync('/dev/full', 'w') : undefined;
  const child = spawn(program, args, {
    ...{ cwd, env },
    stdio: ['ignore', full ?? 'pipe', full ?? 'pipe', 'ipc'],
    // As under supervisor/main.ts: in its own process group, out of reach of a Ctrl-C.
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
