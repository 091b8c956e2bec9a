import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactKey, ArtifactStore } from '../core/jobs/artifacts.ts';
import { makeFolder } from '../runtime/process/make-folder.ts';

/** Artifacts as files, one folder per job, readable only by the user that runs the program. */
export function createFileStore(root: string): ArtifactStore {
  const folderOf = (jobId: string) => join(root, jobId.slice(0, 2), jobId);
  const fileOf = ({ jobId, position, name }: ArtifactKey) => join(folderOf(jobId), `${position}-${name}`);

  return {
    async put(key, { body }) {
      const file = fileOf(key);
      const unfinished = `${file}.${randomBytes(6).toString('hex')}.part`;
      await makeFolder(folderOf(key.jobId), 0o700);
      // Renamed once complete and on disk: a crash in between leaves no truncated file under the
      // final name.
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
    delete: (key) => rm(fileOf(key), { force: true }),
    deleteJob: (jobId) => rm(folderOf(jobId), { recursive: true, force: true }),
  };
}
