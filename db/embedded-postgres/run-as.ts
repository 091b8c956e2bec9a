import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from './error.ts';

/** How to run the programs of Postgres, and who owns its files. */
export interface RunAs {
  /** Undefined: the user of this process. */
  owner: { uid: number; gid: number } | undefined;
  command(program: string, args: string[]): { file: string; args: string[]; options: SpawnOptions };
}

/** Without our own environment: `PGDATA`, `PGPORT` and the like would change what Postgres does. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/**
 * As the current user, except as root: Postgres refuses root, so it runs as the owner of its files,
 * or on the first start as `postgres` or `nobody`.
 */
export async function runAs(clusterDir: string, binaries: Binaries): Promise<RunAs> {
  if (process.getuid?.() !== 0) return asOurselves;
  const owner = await otherUser(clusterDir);
  for (const candidate of [plain(owner), withPassage(owner)]) {
    if (await works(candidate, clusterDir, binaries)) return candidate;
  }
  throw new EmbeddedPostgresError(
    'Postgres refuses to run as root, and this machine does not let root run it as another user: ' +
      'start LeadEngine as a normal user, or set DATABASE_URL to a Postgres server',
  );
}

const asOurselves: RunAs = {
  owner: undefined,
  command: (file, args) => ({ file, args, options: { env: ENVIRONMENT } }),
};

const plain = (owner: { uid: number; gid: number }): RunAs => ({
  owner,
  command: (file, args) => ({ file, args, options: { env: ENVIRONMENT, ...owner } }),
});

/**
 * That user may be unable to traverse the folders above (a checkout under /root, mode 700). So the
 * programs keep the one capability that allows it; plain `setuid` would drop it.
 */
const withPassage = (owner: { uid: number; gid: number }): RunAs => ({
  owner,
  command: (program, args) => ({
    file: 'setpriv',
    args: [
      '--securebits=+no_setuid_fixup',
      `--reuid=${owner.uid}`,
      `--regid=${owner.gid}`,
      '--clear-groups',
      '--inh-caps=+dac_override',
      '--ambient-caps=+dac_override',
      program,
      ...args,
    ],
    options: { env: ENVIRONMENT },
  }),
});

/** Whether that user can run the programs and reach the folder. */
async function works(candidate: RunAs, clusterDir: string, { postgres }: Binaries): Promise<boolean> {
  const test = ['-c', '[ -x "$0" ] && exec "$1" --version', dirname(clusterDir), postgres];
  const { file, args, options } = candidate.command('/bin/sh', test);
  try {
    const [exitCode] = await once(spawn(file, args, { ...options, stdio: 'ignore' }), 'exit');
    return exitCode === 0;
  } catch {
    return false;
  }
}

async function otherUser(clusterDir: string): Promise<{ uid: number; gid: number }> {
  const existing = await stat(clusterDir).catch(() => undefined);
  if (existing && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid };
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] =
      users
        .match(new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm'))
        ?.slice(1)
        .map(Number) ?? [];
    if (uid && gid) return { uid, gid };
  }
  return { uid: 65_534, gid: 65_534 };
}
