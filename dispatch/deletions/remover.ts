import { isDatabaseUnavailable } from '../../db/connect.ts';
import { listOpenDeletions, type OpenDeletion } from '../../db/deletions/deletions.ts';
import type { Advance, Advancing, RemoverOptions } from './advance.ts';
import { erase } from './erasure.ts';
import { deleteJobs } from './jobs.ts';
import { deleteLeads } from './leads.ts';
import { deleteUser } from './user.ts';

const OPEN = 100;
/** Each deletion gets a slice in turn, so that a small one does not wait for a large one. */
const SLICE_MS = 200;
const ROUND_MS = 600;
/** Between two rounds, so that the database has time for jobs. */
const BUSY_PAUSE_MS = 50;
const PAUSE_MS = 500;
const LONGEST_BACKOFF_MS = 60_000;

/** Does the deletions that were requested, in slices; whoever leads next continues them. */
export function createRemover(options: RemoverOptions): () => Promise<number> {
  const failures = new Map<string, { count: number; until: number }>();
  let first = 0;

  return async () => {
    const open = await listOpenDeletions(options.database, OPEN);
    const end = performance.now() + ROUND_MS;
    let isBusy = false;
    for (let place = 0; place < open.length && performance.now() < end; place += 1) {
      const deletion = open[(first + place) % open.length];
      if (deletion) isBusy = (await slice(deletion)) === 'more' || isBusy;
    }
    first = open.length === 0 ? 0 : (first + 1) % open.length;
    return isBusy ? BUSY_PAUSE_MS : PAUSE_MS;
  };

  /** One that fails is tried again, and holds up no other: its store may be away for hours. */
  async function slice(deletion: OpenDeletion): Promise<Advance> {
    const failed = failures.get(deletion.id);
    if (failed && failed.until > performance.now()) return 'waiting';
    const end = performance.now() + SLICE_MS;
    try {
      const advance = await advanceOf(deletion)(options, deletion, () => performance.now() < end);
      failures.delete(deletion.id);
      if (advance === 'done') options.logger.info('deletion_completed', { deletion_id: deletion.id });
      return advance;
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      const count = (failed?.count ?? 0) + 1;
      const pauseMs = Math.min(500 * 2 ** count, LONGEST_BACKOFF_MS);
      failures.set(deletion.id, { count, until: performance.now() + pauseMs });
      options.logger.warn('deletion_failed', { deletion_id: deletion.id, failures: count, error });
      return 'waiting';
    }
  }
}

function advanceOf({ kind }: OpenDeletion): Advancing {
  switch (kind) {
    case 'jobs':
      return deleteJobs;
    case 'leads':
      return deleteLeads;
    case 'erasure':
      return erase;
    case 'user':
      return deleteUser;
    default:
      return kind satisfies never;
  }
}
