import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactKey, ArtifactStore } from '../core/jobs/artifacts.ts';

/** Artifacts as files, a folder a job. Readable by whoever runs the program and by nobody else. */
export function createFileStore(root: string): ArtifactStore {
  const folderOf = (jobId: string) => join(root, jobId.slice(0, 2), jobId);
  const fileOf = ({ jobId, position, name }: ArtifactKey) => join(folderOf(jobId), `${position}-${name}`);

  return {
    async put(key, { body }) {
      const file = fileOf(key);
      const unfinished = `${file}.${randomBytes(6).toString('hex')}.part`;
      await mkdir(folderOf(key.jobId), { recursive: true, mode: 0o700 });
      // Renamed when it is whole and on the disk: a machine that goes down half way leaves no half of a picture.
      const handle = await open(unfinished, 'w', 0o600);
      try {
        await handle.writeFile(body);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(unfinished, file);
    },
    async get(key) {
      try {
        return await readFile(fileOf(key));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    deleteJob: (jobId) => rm(folderOf(jobId), { recursive: true, force: true }),
  };
}
