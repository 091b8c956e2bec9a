import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** Ends what a harness that was itself killed leaves behind: frozen workers and a Postgres would otherwise stay for ever. */
export interface Guard {
  watch(pid: number): void;
  forget(pid: number): void;
  /** Everything was ended in order. */
  end(): void;
}

/** Reads `+pid` and `-pid` until its standard input closes, which is when the harness does, however that comes. */
const SCRIPT = `
let text = '';
process.stdin.on('data', (chunk) => { text += chunk; });
process.stdin.on('end', () => {
  const pids = new Set();
  for (const line of text.split('\\n')) {
    const pid = Number(line.slice(1));
    if (line[0] === '+') pids.add(pid);
    else if (line[0] === '-') pids.delete(pid);
  }
  for (const pid of pids) { try { process.kill(pid, 'SIGKILL'); } catch {} }
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
`;

export function startGuard(): Guard {
  const child = spawn(process.execPath, ['-e', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.unref();
  (child.stdin as Socket).unref();
  child.stdin.on('error', () => {});
  return {
    watch: (pid) => void child.stdin.write(`+${pid}\n`),
    forget: (pid) => void child.stdin.write(`-${pid}\n`),
    end: () => void child.stdin.end(),
  };
}
