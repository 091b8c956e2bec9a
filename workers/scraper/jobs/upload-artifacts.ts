import { RetryableError } from '../../../core/errors.ts';
import type { ArtifactStore } from '../../../core/jobs/artifacts.ts';
import type { ClaimedJob } from '../../../core/jobs/job.ts';
import type { Database } from '../../../db/connect.ts';
import type { StoredPage } from '../../../db/jobs/run.ts';
import { openArtifactFolder } from '../../../db/pages/artifacts.ts';

type WithArtifacts = Pick<StoredPage, 'position' | 'artifacts'>;

/** Puts the bodies of a page's artifacts where they are kept; the page as it is stored after that. */
export type PutAside = <T extends WithArtifacts>(job: ClaimedJob, page: T) => Promise<T>;

/**
 * Bodies go to their store before the page tells of them. Doing so twice leaves one; what a worker put there before it died is
 * replaced by the next attempt, or goes with the job.
 *
 * @param store undefined: artifacts are stored with their page
 */
export function createPutAside(database: Database, store: ArtifactStore | undefined): PutAside {
  return async (job, page) => {
    if (!store || page.artifacts.length === 0) return page;
    await openArtifactFolder(database, job.id);
    for (const { name, contentType, body } of page.artifacts) {
      const key = { jobId: job.id, position: page.position, name };
      try {
        if (body) await store.put(key, { contentType, body });
      } catch (cause) {
        throw new RetryableError('artifacts_unavailable', 'a screenshot or PDF could not be stored', {
          cause,
        });
      }
    }
    return { ...page, artifacts: page.artifacts.map((artifact) => ({ ...artifact, body: null })) };
  };
}
