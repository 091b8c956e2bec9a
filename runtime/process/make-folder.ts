import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it, if they are missing. Node's own recursive `mkdir` tries for
 * ever where no folder can be made, such as below `/proc`.
 *
 * @throws the error of the system call, with its `code` and `path`
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  const folder = resolve(path);
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && (await isMissing(dirname(folder)))) {
      await makeFolder(dirname(folder), mode);
      return makeFolder(folder, mode);
    }
    if (code !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error;
  }
}

const isMissing = (path: string): Promise<boolean> =>
  stat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
