import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import type { Folders } from './folders.ts';

/** What `leadengine login` keeps. */
export interface Login {
  url: string;
  apiKey: string;
}

const fileOf = ({ config }: Folders) => join(config, 'login.json');

/** @throws Failure if the file is there and cannot be used */
export async function readLogin(folders: Folders): Promise<Login | null> {
  const file = fileOf(folders);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  try {
    const { url, apiKey } = JSON.parse(text) as Partial<Login>;
    if (typeof url === 'string' && typeof apiKey === 'string') return { url, apiKey };
  } catch {
    // Below.
  }
  throw new Failure(`${file} cannot be read: run \`leadengine login\` again`);
}

/** Readable by its owner only from the moment it exists. */
export async function writeLogin(folders: Folders, login: Login): Promise<string> {
  const file = fileOf(folders);
  await mkdir(folders.config, { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  await writeFile(next, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600 });
  await chmod(next, 0o600);
  await rename(next, file);
  return file;
}

/** False if there was none. */
export async function removeLogin(folders: Folders): Promise<boolean> {
  const was = await readLogin(folders).catch(() => ({}));
  await rm(fileOf(folders), { force: true });
  return was !== null;
}
