import { isFinal, JOB_STATUSES } from '../../core/jobs/job-status.ts';
import { finishDeletion, type OpenDeletion, saveProgress } from '../../db/deletions/deletions.ts';
import { removeMarkedJobs } from '../../db/deletions/remove-jobs.ts';
import { markJobs } from '../../db/deletions/request.ts';
import type { JobFilter } from '../../db/jobs/list.ts';
import { closeFolderOfDeletion, listFoldersOfDeletion } from '../../db/pages/artifacts.ts';
import type { Advance, Advancing, RemoverOptions } from './advance.ts';
import { QUEUES } from './queues.ts';

/** One job, or those that match a filter. */
export const deleteJobs: Advancing = async (options, deletion, goesOn) => {
  const filter: JobFilter | undefined = deletion.request.filter;
  const subject = filter && deletion.user_id ? { userId: deletion.user_id, filter } : null;
  const advance = await removeJobs(options, deletion, subject, goesOn);
  if (advance === 'done') await finishDeletion(options.database, deletion.id);
  return advance;
};

/**
 * Removes the jobs of a deletion and what is stored of them outside of the database.
 *
 * @param subject null: its only job is marked
 */
export async function removeJobs(
  options: RemoverOptions,
  deletion: OpenDeletion,
  subject: { userId: string; filter: JobFilter } | null,
  goesOn: () => boolean,
): Promise<Advance> {
  const { database } = options;
  // First, so that none begins while others are removed.
  if (subject && !deletion.progress?.cancelled) {
    const { statuses = JOB_STATUSES } = subject.filter;
    const filter = { ...subject.filter, statuses: statuses.filter((status) => !isFinal(status)) };
    while ((await markJobs(database, { id: deletion.id, ...subject, filter }, MARKED_AT_ONCE)) > 0) {
      if (!goesOn()) return 'more';
    }
    await saveProgress(database, deletion.id, { cancelled: true });
  }
  while (goesOn()) {
    const removed = await removeMarkedJobs(database, deletion.id, { queues: QUEUES, goesOn });
    if (removed === 'waiting') return 'waiting';
    if (removed === 'more') continue;
    if (subject && (await markJobs(database, { id: deletion.id, ...subject }, MARKED_AT_ONCE)) > 0) continue;
    if (await emptyFolders(options, deletion.id, goesOn)) return 'done';
  }
  return 'more';
}

const MARKED_AT_ONCE = 200;

/** True once none is left. A folder is forgotten after it is empty, so a failure repeats it. */
async function emptyFolders(
  { database, artifacts }: RemoverOptions,
  deletionId: string,
  goesOn: () => boolean,
): Promise<boolean> {
  for (;;) {
    const folders = await listFoldersOfDeletion(database, deletionId, 100);
    if (folders.length === 0) return true;
    if (!artifacts) throw new Error('its artifacts are in a store, and ARTIFACTS_URL is not set');
    for (const jobId of folders) {
      if (!goesOn()) return false;
      await artifacts.deleteJob(jobId);
      await closeFolderOfDeletion(database, deletionId, jobId);
    }
  }
}
