import type { Migration } from './index.ts';

/**
 * The ways by which users read the ledger: all of theirs behind a place, and all of one job. The second is on the id alone, which an
 * index keeps once for all the events of a job; they are few enough to be sorted.
 *
 * `progress_told_at` is when `job.progress` was last written for a job.
 */
export const eventReaders: Migration = {
  name: '0012-event-readers',
  up: `
    CREATE INDEX events_of_user ON events (user_id, xid, seq);
    CREATE INDEX events_of_job ON events (job_id);
    ALTER TABLE jobs ADD COLUMN progress_told_at timestamptz;
  `,
};
