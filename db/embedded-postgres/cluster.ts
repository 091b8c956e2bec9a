import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, lchown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isRunning } from '../../runtime/process/is-running.ts';
import { makeFolder } from '../../runtime/process/make-folder.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import { EmbeddedPostgresError } from './error.ts';
import { type RunAs, runAs } from './run-as.ts';

/** A Postgres data directory on disk, whether or not a server runs on it. */
export interface Cluster {
  dir: string;
  logFile: string;
  password: string;
  binaries: Binaries;
  runAs: RunAs;
}

const clusterDirOf = (dataDir: string): string => join(dataDir, 'postgres');

/**
 * Opens the cluster under `dataDir` and creates it first if there is none. Safe in several
 * processes at once.
 */
export async function openCluster(dataDir: string): Promise<Cluster> {
  try {
    // As root the files belong to another user, who must be able to traverse this folder (and no
    // more).
    await makeFolder(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700);
    const dir = clusterDirOf(dataDir);
    const binaries = await findBinaries();
    const user = await runAs(dir, binaries);
    await removeRemains(dataDir);
    if (!(await exists(join(dir, 'PG_VERSION')))) await create(dir, binaries, user);
    if (user.owner && (await stat(dir)).uid === 0) await giveAway(dir, user.owner);
    const password = (await readFile(join(dir, PASSWORD_FILE), 'utf8')).trim();
    return { dir, logFile: join(dataDir, 'postgres.log'), password, binaries, runAs: user };
  } catch (error) {
    throw explained(error, dataDir);
  }
}

/** In the data directory, so that a cluster and its password are created and deleted together. */
const PASSWORD_FILE = 'leadengine-password';
const UNFINISHED = 'postgres.new-';

/**
 * initdb works in a folder of its own that is renamed when it is complete: a start that is killed
 * half way leaves nothing that looks like a cluster, and of two first starts the second finds the
 * cluster of the first and uses it.
 */
async function create(dir: string, binaries: Binaries, user: RunAs): Promise<void> {
  const unfinished = await mkdtemp(join(dirname(dir), `${UNFINISHED}${process.pid}-`));
  try {
    const password = `${unfinished}.password`;
    await writeFile(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
    if (user.owner) {
      await chown(unfinished, user.owner.uid, user.owner.gid);
      await chown(password, user.owner.uid, user.owner.gid);
    }
    await initialise(unfinished, password, binaries, user);
    await rename(password, join(unfinished, PASSWORD_FILE));
    await rename(unfinished, dir).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      if (await exists(join(dir, 'PG_VERSION'))) return;
      throw new EmbeddedPostgresError(
        `${dir} is in the way: it is not a Postgres data directory, move it elsewhere`,
      );
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
    await rm(`${unfinished}.password`, { force: true });
  }
}

async function initialise(
  dir: string,
  passwordFile: string,
  { initdb }: Binaries,
  user: RunAs,
): Promise<void> {
  const { file, args, options } = user.command(initdb, [
    `--pgdata=${dir}`,
    `--pwfile=${passwordFile}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The built-in provider: the same collation and case mapping on every machine.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ]);
  const { exitCode, output } = await run(
    spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  if (exitCode !== 0) {
    const said = output.trim().split('\n').slice(-8).join('\n');
    throw new EmbeddedPostgresError(
      `the database files could not be made in ${dirname(dir)}: initdb said\n${said}`,
    );
  }
}

async function run(child: ChildProcess): Promise<{ exitCode: number | null; output: string }> {
  const exit = new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('exit', resolve),
  );
  const read = (stream: ChildProcess['stdout']) => (stream ? text(stream) : '');
  const [exitCode, out, err] = await Promise.all([exit, read(child.stdout), read(child.stderr)]);
  return { exitCode, output: `${out}\n${err}` };
}

/** Removes what starts left that were killed before their cluster was complete. */
async function removeRemains(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const pid = name.startsWith(UNFINISHED) && Number(name.slice(UNFINISHED.length).split('-')[0]);
    if (!pid || isRunning(pid)) continue;
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
}

/** Files that belong to root since the folder was copied: Postgres must own its data directory. */
async function giveAway(path: string, owner: { uid: number; gid: number }): Promise<void> {
  await lchown(path, owner.uid, owner.gid);
  for (const name of await readdir(path, { recursive: true })) {
    await lchown(join(path, name), owner.uid, owner.gid);
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );

/** The disk or permission problem in one line that names the folder. */
function explained(error: unknown, dataDir: string): unknown {
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const where = path ?? dataDir;
  const said: Record<string, string> = {
    EACCES: `${where} may not be read or written by this user: start as the user who owns it, or set DATA_DIR to another folder`,
    EPERM: `${where} may not be changed by this user: start as the user who owns it, or set DATA_DIR to another folder`,
    EROFS: `${where} is on a read-only disk: set DATA_DIR to a folder that can be written`,
    ENOSPC: `the disk of ${where} is full: make room, or set DATA_DIR to a folder on another disk`,
    ENOTDIR: `${where} is not a folder: set DATA_DIR to a folder`,
    EEXIST: `${where} is not a folder: set DATA_DIR to a folder`,
    ENOENT: `${where} cannot be created there: set DATA_DIR to a folder on a disk`,
    ENAMETOOLONG: `${where} is too long: set DATA_DIR to a shorter path`,
    ELOOP: `${where} is a link that leads back to itself: set DATA_DIR to a folder`,
  };
  // Of a missing file of Postgres itself, the folder is not the cause.
  const isOfFolder = code !== 'ENOENT' || syscall === 'mkdir';
  const message = code && isOfFolder && said[code];
  return message ? new EmbeddedPostgresError(message, { cause: error }) : error;
}
