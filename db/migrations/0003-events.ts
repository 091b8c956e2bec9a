import type { Migration } from './migration.ts';

/**
 * The ledger of events, each written in the transaction of the change it reports.
 *
 * A sequence is not commit order: a reader at number 7 may still see 6 appear. Ordered by (transaction, number) and read
 * only below the oldest open transaction, nothing can appear behind a reader.
 */
export const events: Migration = {
  name: '0003-events',
  sql: `
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
    CREATE INDEX events_by_user ON events (user_id, xid, seq);
    -- On the id alone, which the index stores once for all events of a job; they are few enough to be sorted.
    CREATE INDEX events_by_job ON events (job_id);
    -- For the processes that cache links. Partial, so that other events cost it nothing.
    CREATE INDEX events_by_link_change ON events (xid, seq)
      WHERE type IN ('link.created', 'link.changed', 'link.deleted');

    -- How far each reader of the ledger has come.
    CREATE TABLE event_cursors (
      reader text PRIMARY KEY,
      xid xid8 NOT NULL,
      seq bigint NOT NULL
    );
    INSERT INTO event_cursors (reader, xid, seq) VALUES ('relay', '0', 0), ('fan_out', '0', 0), ('statistics', '0', 0);
  `,
};
