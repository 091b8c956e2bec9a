import type { Migration } from './index.ts';

/** The fleet as it is now: the dispatcher sizes the queue's window by it. Unlogged: every worker writes its row anew each second. */
export const workers: Migration = {
  name: '0005-workers',
  up: `
    CREATE UNLOGGED TABLE workers (
      id text PRIMARY KEY,
      slots integer NOT NULL,
      claims_per_second real NOT NULL DEFAULT 0,
      started_at timestamptz NOT NULL DEFAULT now(),
      seen_at timestamptz NOT NULL DEFAULT now()
    );
  `,
};
