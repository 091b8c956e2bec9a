import type { ArtifactStore } from '../../core/jobs/artifacts.ts';
import type { Database } from '../../db/connect.ts';
import type { OpenDeletion } from '../../db/deletions/deletions.ts';
import type { Logger } from '../../runtime/log/logger.ts';

export interface RemoverOptions {
  database: Database;
  /** Undefined: artifacts are in the database. */
  artifacts?: ArtifactStore | undefined;
  logger: Logger;
}

/** How far a slice of the work has come. */
export type Advance = 'more' | 'waiting' | 'done';

/**
 * A slice of a deletion's work. It may end anywhere, and the next one continues, perhaps in another
 * process.
 *
 * @param goesOn false once the slice is over
 */
export type Advancing = (
  options: RemoverOptions,
  deletion: OpenDeletion,
  goesOn: () => boolean,
) => Promise<Advance>;
