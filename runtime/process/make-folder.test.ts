import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeFolder } from './make-folder.ts';

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'leadengine-folder-'));
});
afterAll(() => rm(base, { recursive: true, force: true }));

test('makes a folder with those above it, by several at once', async () => {
  const path = join(base, 'a', 'b', 'c');
  await Promise.all(Array.from({ length: 5 }, () => makeFolder(path, 0o700)));
  await makeFolder(`${path}/`, 0o700);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test('fails where none can be made', async () => {
  await writeFile(join(base, 'file'), '');
  await expect(makeFolder(join(base, 'file'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(base, 'file', 'x'), 0o700)).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test('fails below a file system that takes no folders, instead of trying for ever', async () => {
  // Linux has one at /proc; elsewhere the folder cannot be made because nothing may be written at /.
  await expect(makeFolder('/proc/leadengine/data', 0o700)).rejects.toMatchObject({
    code: expect.stringMatching(/^(ENOENT|EACCES|EROFS)$/),
  });
});
