import { type Database, isDatabaseUnavailable, isSerializationFailure } from '../../db/connect.ts';
import { type Acceptance, acceptJobs, type Submission } from '../../db/jobs/accept.ts';
import { createBatcher } from '../../runtime/batch.ts';
import { overloaded } from '../http/problem.ts';

export type Accept = (submission: Submission) => Promise<Acceptance>;

/**
 * With 32 connections a run has about 15 submissions; more concurrent runs only make them smaller.
 */
const MAX_RUNS = 2;
/** One hundred submissions of 100 KB each are the largest statement. */
const MAX_SUBMISSIONS = 100;
/**
 * Half a second of work. While the database hangs, more submissions get a 503 instead of memory.
 */
const MAX_WAITING = 2000;

/**
 * Stores submissions. Single jobs that arrive together share one statement and one commit; a batch
 * is large enough for its own.
 */
export function createAccept(database: Database, maxWaiting = MAX_WAITING): Accept {
  const run = (submissions: Submission[]) => acceptTogether(database, submissions);
  const limits = { maxItems: MAX_SUBMISSIONS, maxRuns: MAX_RUNS };
  // Two batchers, because a failed run is repeated one by one. With idempotency keys that never
  // stores a job twice, even if part of the run had committed; without keys the run is a single
  // statement, so a failed one committed nothing.
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
    // One submission is bad: retry alone, so the others are accepted.
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
