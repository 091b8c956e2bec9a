import { fileURLToPath } from 'node:url';
import type { ArtifactStore } from '../core/jobs/artifacts.ts';
import { createFileStore } from './files.ts';
import { createS3Store } from './s3.ts';

/**
 * @param url `ARTIFACTS_URL`: `file:///folder` or `s3://…`. Undefined: artifacts stay in the
 *   database.
 */
export function openArtifactStore(url: string | undefined): ArtifactStore | undefined {
  if (url === undefined) return undefined;
  return new URL(url).protocol === 'file:' ? createFileStore(fileURLToPath(url)) : createS3Store(url);
}
