import { type Database, isDatabaseUnavailable, isSerializationFailure } from '../../db/connect.ts';
import { type Acceptance, acceptJobs, type Submission } from '../../db/jobs/accept.ts';
import { createBatcher } from '../../runtime/batch.ts';
import { overloaded } from '../http/problem.ts';

export type Accept = (submission: Submission) => Promise<Acceptance>;

/** At 32 connections, runs of some 15 submissions: more at the same time only means smaller ones. */
const MAX_RUNS = 2;
/** One hundred submissions of 100 KB each are the largest statement. */
const MAX_SUBMISSIONS = 100;
/** Half a second of work. While the database hangs, what comes on top is told to come again and not held in memory. */
const MAX_WAITING = 2000;

/**
 * Stores submissions. Those of single jobs that arrive together share one statement and one commit; a batch is large enough
 * for its own.
 */
export function createAccept(database: Database, maxWaiting = MAX_WAITING): Accept {
  const run = (submissions: Submission[]) => acceptTogether(database, submissions);
  const limits = { maxItems: MAX_SUBMISSIONS, maxRuns: MAX_RUNS };
  // Apart, because a failed run is done again one by one. With keys that never stores a job twice, whatever of the run had
  // been committed; without keys the run is a single statement, so a failed one committed nothing.
  const keyed = createBatcher(run, limits);
  const unkeyed = createBatcher(run, limits);

  let waiting = 0;

  return async (submission) => {
    if (waiting >= maxWaiting) throw overloaded();
    waiting += 1;
    try {
      if (submission.specs.length > 1) return await acceptAlone(database, submission);
      const result = await (submission.idempotency ? keyed : unkeyed)(submission);
      if (result.kind === 'refused') throw result.error;
      return result;
    } finally {
      waiting -= 1;
    }
  };
}

type Result = Acceptance | { kind: 'refused'; error: unknown };

async function acceptTogether(database: Database, submissions: Submission[]): Promise<Result[]> {
  try {
    return await acceptJobs(database, submissions);
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    // Something about one of them: the others must not suffer.
    return Promise.all(
      submissions.map((submission) =>
        acceptAlone(database, submission).catch((error) => ({ kind: 'refused', error }) as const),
      ),
    );
  }
}

async function acceptAlone(database: Database, submission: Submission): Promise<Acceptance> {
  const once = async () => {
    const [acceptance] = await acceptJobs(database, [submission]);
    if (!acceptance) throw new Error('accept_jobs gave no answer');
    return acceptance;
  };
  try {
    return await once();
  } catch (error) {
    if (!isSerializationFailure(error)) throw error;
    return once();
  }
}
