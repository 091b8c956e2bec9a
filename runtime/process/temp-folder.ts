import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTempFolder } from '../settings/config.ts';

/**
 * A folder for the temporary files of this process and of those it starts (a browser's profile is 15 MB and more), gone with it.
 *
 * Nobody cleans up behind a process that was killed, so each that opens one sweeps what the dead left. Alive is whoever answers
 * on the socket in its folder: the kernel closes it with the process, and it is the same one for containers that share the
 * folder, where another process may have the same number and the owner's number may mean nothing.
 */
export interface TempFolder {
  path: string;
  /** Removes it with all that is in it. */
  close(): Promise<void>;
}

const PREFIX = 'leadengine-tmp-';
const SOCKET = 'alive';

/** Becomes what `os.tmpdir()` gives: libraries make their folders there, and not all of them can be told another place. */
export async function openTempFolder(): Promise<TempFolder> {
  const parent = tmpdir();
  await sweep(parent);
  const path = await mkdtemp(join(parent, PREFIX));
  const server = createServer((socket) => socket.destroy());
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(join(path, SOCKET), () => resolve(true));
  });
  if (!listens) {
    // Too long a path for a socket, or a file system without: better litter there than a folder swept from under its owner.
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

async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent);
  const folders = names.filter((name) => name.startsWith(PREFIX)).map((name) => join(parent, name));
  await Promise.all(folders.map(async (folder) => (await isDead(folder)) && remove(folder)));
}

/** Between the making of a folder and its socket there are moments. */
const YOUNG_MS = 60_000;

async function isDead(folder: string): Promise<boolean> {
  const problem = await problemOf(join(folder, SOCKET));
  if (problem === 'ECONNREFUSED') return true;
  if (problem !== 'ENOENT') return false;
  const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > YOUNG_MS;
}

/** Null: somebody answers, which the kernel does for a busy process too. */
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

/** What cannot be removed is left for the next sweep: another user's, or what a browser that ends still writes to. */
const remove = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 }).catch(() => {});
