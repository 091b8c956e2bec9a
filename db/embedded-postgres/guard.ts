import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';

/**
 * Waits for its standard input to end, which is when the owner does, however that comes. Arguments: the folder, the owner's
 * mark, the server's pid, the seconds to wait then. A later owner leaves another mark, and none means that all was ended in
 * order; then the server is none of this guard's business.
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
 * A small process that stops the server some time after its owner was killed and nobody has taken over: nothing we started
 * runs for ever.
 *
 * @returns ends the guard
 */
export async function guard(
  dataDir: string,
  postmasterPid: number,
  lingerSeconds: number,
): Promise<() => void> {
  const mark = randomUUID();
  const file = join(dataDir, 'owner');
  await writeFile(file, mark, { mode: 0o600 });
  const end = startShell(SCRIPT, [dataDir, mark, String(postmasterPid), String(lingerSeconds)]);
  return () => {
    end();
    rmSync(file, { force: true });
  };
}

/**
 * The same for a server that has just been started and that nobody owns yet: it stops at once if its starter is killed.
 *
 * @returns ends the guard
 */
export const guardWhileStarting = (postmasterPid: number): (() => void) =>
  startShell('read _; kill -INT "$1"', [String(postmasterPid)]);

function startShell(script: string, args: string[]): () => void {
  const shell = spawn('/bin/sh', ['-c', script, 'leadengine-guard', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/bin:/bin' },
  });
  // A machine without /bin/sh has no guard; everything else works.
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  (shell.stdin as Socket).unref();
  return () => {
    shell.kill('SIGKILL');
    shell.stdin.destroy();
  };
}
