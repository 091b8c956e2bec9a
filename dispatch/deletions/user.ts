import { finishDeletion } from '../../db/deletions/deletions.ts';
import { removeRowsOfUser, removeUser } from '../../db/deletions/remove-user.ts';
import type { Advancing } from './advance.ts';
import { removeJobs } from './jobs.ts';

/** API processes trust a key for two seconds without asking: requests may come in for that long. */
const LAST_REQUEST_MS = 5000;

/** All that is a user's: what posts jobs, the jobs, everything else, and the user. */
export const deleteUser: Advancing = async (options, deletion, goesOn) => {
  const { database } = options;
  const user = { id: deletion.id, userId: deletion.user_id ?? '' };
  if (!(await removeRowsOfUser(database, user, 'first', goesOn))) return 'more';
  const jobs = await removeJobs(options, deletion, { userId: user.userId, filter: {} }, goesOn);
  if (jobs !== 'done') return jobs;
  if (Date.now() - deletion.created_at.getTime() < LAST_REQUEST_MS) return 'waiting';
  if (!(await removeRowsOfUser(database, user, 'rest', goesOn))) return 'more';
  await removeUser(database, user);
  await finishDeletion(database, deletion.id);
  return 'done';
};
