import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';

/**
 * Waits for its standard input to close, which happens when the owner ends, however it ends.
 * Arguments: the folder, the mark of the owner, the pid of the server, the seconds to wait then. A
 * later owner writes another mark, and a clean shutdown removes it; in both cases the reaper leaves
 * the server alone.
 */
const SCRIPT = `
read _
while [ "$(cat "$1/owner")" = "$2" ] && [ "$(head -n 1 "$1/postgres/postmaster.pid")" = "$3" ]; do
  [ "$4" -le 0 ] && kill -INT "$3" && exit
  sleep 1
  set -- "$1" "$2" "$3" $(($4 - 1))
done
`;

/**
 * A small process that stops the server some time after its owner was killed and no other owner
 * took over, so that no server runs for ever.
 *
 * @returns stops the reaper
 */
export async function startReaper(
  dataDir: string,
  postmasterPid: number,
  lingerSeconds: number,
): Promise<() => void> {
  const mark = randomUUID();
  const file = join(dataDir, 'owner');
  await writeFile(file, mark, { mode: 0o600 });
  const shell = startShell(SCRIPT, [dataDir, mark, String(postmasterPid), String(lingerSeconds)]);
  return () => {
    shell.end();
    rmSync(file, { force: true });
  };
}

/**
 * The same for a server that is about to be started and has no owner yet: it is stopped at once if
 * its starter is killed. Waits before the server is there, so that there is no moment without it.
 */
export function startReaperWhileStarting(): { watch(postmasterPid: number): void; stop(): void } {
  const shell = startShell('read pid; read _; kill -INT "$pid"', []);
  return { watch: (pid) => void shell.stdin.write(`${pid}\n`), stop: shell.end };
}

function startShell(script: string, args: string[]): { stdin: Writable; end(): void } {
  const shell = spawn('/bin/sh', ['-c', script, 'leadengine-reaper', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/bin:/bin' },
  });
  // A machine without /bin/sh has no reaper; everything else works.
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  (shell.stdin as Socket).unref();
  return {
    stdin: shell.stdin,
    end: () => {
      shell.kill('SIGKILL');
      shell.stdin.destroy();
    },
  };
}
