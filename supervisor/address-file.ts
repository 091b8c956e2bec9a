import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** In DATA_DIR: where the command `leadengine` finds the server of this machine. */
const NAME = 'server.json';

/** @returns removes the file again, unless another server has replaced it meanwhile */
export async function publishAddress(dataDir: string, url: string): Promise<() => Promise<void>> {
  const file = join(dataDir, NAME);
  const text = `${JSON.stringify({ url, pid: process.pid })}\n`;
  const next = `${file}.${process.pid}`;
  // Replaced as a whole: a reader never sees half of it.
  await writeFile(next, text);
  await rename(next, file);
  return async () => {
    if ((await readFile(file, 'utf8').catch(() => '')) === text) await rm(file, { force: true });
  };
}
