import type { Migration } from './migration.ts';

/**
 * Roll-ups of what happens to jobs, fed from the ledger by the analytics worker in the transaction that moves its cursor:
 * each event counts once. The user id of zeros holds the sum over all users.
 *
 * A histogram holds how many jobs took between `1.1^(bucket-1)` and `1.1^bucket` milliseconds: those of any days and users
 * can be added up, and a percentile read from them is at most 5 % off.
 */
export const statistics: Migration = {
  name: '0010-statistics',
  sql: `
    CREATE TABLE job_hourly (
      user_id uuid NOT NULL,
      hour timestamptz NOT NULL,
      created integer NOT NULL,
      started integer NOT NULL,
      completed integer NOT NULL,
      failed integer NOT NULL,
      cancelled integer NOT NULL,
      retries integer NOT NULL,
      pages integer NOT NULL,
      leads integer NOT NULL,
      page_errors integer NOT NULL,
      PRIMARY KEY (user_id, hour)
    );
    CREATE TABLE job_histograms (
      user_id uuid NOT NULL,
      day date NOT NULL,
      measure text NOT NULL,
      bucket integer NOT NULL,
      jobs integer NOT NULL,
      PRIMARY KEY (user_id, day, measure, bucket)
    );
    -- kind: source, host or error.
    CREATE TABLE job_breakdowns (
      user_id uuid NOT NULL,
      day date NOT NULL,
      kind text NOT NULL,
      value text NOT NULL,
      jobs integer NOT NULL,
      pages integer NOT NULL,
      leads integer NOT NULL,
      PRIMARY KEY (user_id, day, kind, value)
    );
  `,
};
