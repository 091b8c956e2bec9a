import type { Migration } from './index.ts';

/**
 * The ledger of events, written in the transaction of what they tell.
 *
 * A sequence is not commit order: a reader at number 7 may still see 6 appear. Ordered by (transaction, number) and read
 * only below the oldest transaction still open, nothing can appear behind a reader.
 */
export const events: Migration = {
  name: '0004-events',
  up: `
    CREATE TABLE events (
      xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
      seq bigint GENERATED ALWAYS AS IDENTITY,
      id uuid NOT NULL DEFAULT gen_random_uuid(),
      type text NOT NULL,
      version text NOT NULL,
      user_id uuid,
      job_id uuid,
      correlation_id text NOT NULL,
      occurred_at timestamptz NOT NULL DEFAULT now(),
      data json NOT NULL,
      PRIMARY KEY (xid, seq)
    );
    CREATE INDEX events_by_age ON events USING brin (occurred_at);

    -- How far each reader of the ledger has come.
    CREATE TABLE event_cursors (
      reader text PRIMARY KEY,
      xid xid8 NOT NULL,
      seq bigint NOT NULL
    );
    INSERT INTO event_cursors (reader, xid, seq) VALUES ('relay', '0', 0);
  `,
};
