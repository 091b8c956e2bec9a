import { limitReachedMessage } from '../../core/accounts/limits.ts';
import { ErrorCode, SnoozeError } from '../../core/errors.ts';
import type { ClaimedJob } from '../../core/jobs/job.ts';
import type { Sql } from '../../db/connect.ts';
import type { Exhausted } from '../../db/usage/accounting.ts';
import { findExhausted } from '../../db/usage/allowance.ts';

/**
 * Limits of pages and bytes, before anything is fetched. A page that would exceed one is refused by
 * the statement that stores it; this spares the site and the worker pages that would be thrown
 * away.
 */
export interface Allowance {
  /**
   * Cheap: asks only for users whose job was refused a page here.
   *
   * @throws SnoozeError until the limit is free again
   */
  requireLikely(job: ClaimedJob): Promise<void>;
  /** @throws SnoozeError until the limit is free again */
  require(job: ClaimedJob): Promise<void>;
  /** The error of a job that was refused a page. It waits, and no attempt is lost. */
  refused(job: ClaimedJob, exhausted: Exhausted): SnoozeError;
}

/** Pages are deleted, or the limit is raised, at any time. */
const ASK_AGAIN_MS = 5 * 60_000;

export function createAllowance(sql: Sql): Allowance {
  const refusedUsers = new Set<string>();

  const refused = (job: ClaimedJob, exhausted: Exhausted): SnoozeError => {
    refusedUsers.add(job.userId);
    const delayMs = Math.max(exhausted.waitMs ?? ASK_AGAIN_MS, 0);
    return new SnoozeError(
      ErrorCode.limitReached,
      limitReachedMessage(exhausted),
      delayMs,
      // Not the site's fault, and it may take a month.
      'unchanged',
    );
  };
  const require = async (job: ClaimedJob): Promise<void> => {
    const exhausted = await findExhausted(sql, job.id);
    if (exhausted) throw refused(job, exhausted);
    refusedUsers.delete(job.userId);
  };
  return {
    refused,
    require,
    requireLikely: async (job) => {
      if (refusedUsers.has(job.userId)) await require(job);
    },
  };
}
