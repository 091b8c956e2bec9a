import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTempFolder } from '../settings/config.ts';

/**
 * A folder for the temporary files of this process and its children (a browser's profile is 15 MB
 * and more), removed with the process.
 *
 * A killed process leaves its folder, so each new process removes those of dead ones. A process is
 * alive if the socket in its folder accepts connections: the kernel closes it with the process.
 * Unlike a process id, that also works for containers that share the folder.
 */
export interface TempFolder {
  path: string;
  /** Removes the folder and its contents. */
  close(): Promise<void>;
}

const PREFIX = 'leadengine-tmp-';
const SOCKET = 'alive';

/**
 * Also sets `os.tmpdir()`: libraries create folders there, and some have no option for another one.
 */
export async function openTempFolder(): Promise<TempFolder> {
  const parent = tmpdir();
  await removeDead(parent);
  const path = await mkdtemp(join(parent, PREFIX));
  const server = createServer((socket) => socket.destroy());
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(join(path, SOCKET), () => resolve(true));
  });
  if (!listens) {
    // The path is too long for a socket, or the file system has none. Leftover files are better
    // than a folder that another process removes while it is in use.
    await remove(path);
    return { path: parent, close: async () => {} };
  }
  server.unref();
  setTempFolder(path);
  return {
    path,
    close: async () => {
      setTempFolder(parent);
      await new Promise((resolve) => server.close(resolve));
      await remove(path);
    },
  };
}

async function removeDead(parent: string): Promise<void> {
  const names = await readdir(parent);
  const folders = names.filter((name) => name.startsWith(PREFIX)).map((name) => join(parent, name));
  await Promise.all(folders.map(async (folder) => (await isDead(folder)) && remove(folder)));
}

/** A folder this young may not have its socket yet. */
const YOUNG_MS = 60_000;

async function isDead(folder: string): Promise<boolean> {
  const problem = await problemOf(join(folder, SOCKET));
  if (problem === 'ECONNREFUSED') return true;
  if (problem !== 'ENOENT') return false;
  const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > YOUNG_MS;
}

/**
 * The connect error's code; null if it is accepted, which the kernel does for a busy process too.
 */
function problemOf(socketPath: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(null);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  });
}

/**
 * Errors are ignored: another user's folder, or one an ending browser still writes to; a later
 * start retries.
 */
const remove = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 }).catch(() => {});
