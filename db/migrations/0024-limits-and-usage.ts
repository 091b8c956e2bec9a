import type { Migration } from './migration.ts';

/**
 * What users and keys may use, and what they have used.
 *
 * Limits are objects of JSON: a name that is absent leaves the limit to the role, null is none. Days are days in UTC.
 *
 * A counter is a sum of rows, one per shard, so that workers that store pages of one user do not wait for each other:
 * shard 0 is that of owners with a limit, whose count must be exact at every moment, and the others are chosen by job.
 */
export const limitsAndUsage: Migration = {
  name: '0024-limits-and-usage',
  sql: `
    -- What each role may use: the settings of the API process that started last.
    CREATE TABLE role_limits (
      role text PRIMARY KEY,
      limits jsonb NOT NULL
    );
    ALTER TABLE users ADD COLUMN limits jsonb NOT NULL DEFAULT '{}';
    ALTER TABLE api_keys ADD COLUMN limits jsonb NOT NULL DEFAULT '{}';

    -- With which key a job was posted; its pages count for that key too.
    ALTER TABLE jobs ADD COLUMN key_id uuid;
    -- The sum of the bytes of its pages.
    ALTER TABLE jobs ADD COLUMN stored_bytes bigint NOT NULL DEFAULT 0;
    -- Bytes of the page as JSON text and of its screenshots and PDFs. 0 for pages stored before there was this column.
    ALTER TABLE pages ADD COLUMN bytes bigint NOT NULL DEFAULT 0;

    -- Pages by day. The owner is the user, or one of the user's keys.
    CREATE TABLE usage_daily (
      user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
      owner_id uuid NOT NULL,
      day date NOT NULL,
      shard smallint NOT NULL,
      pages bigint NOT NULL,
      PRIMARY KEY (user_id, owner_id, day, shard)
    ) WITH (fillfactor = 50);
    CREATE INDEX usage_daily_by_age ON usage_daily USING brin (day);

    -- Bytes of all jobs of a user; those of deleted jobs are subtracted in shard -1.
    CREATE TABLE storage_usage (
      user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
      shard smallint NOT NULL,
      bytes bigint NOT NULL,
      PRIMARY KEY (user_id, shard)
    ) WITH (fillfactor = 50);

    -- A trigger, so that no statement that deletes jobs can forget it: the pruner, a user's own, or a cascade.
    -- Ordered by user, so that two deletions do not wait for each other in a circle.
    CREATE FUNCTION free_stored_bytes() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
      INSERT INTO storage_usage AS s (user_id, shard, bytes)
      SELECT g.user_id, -1, -sum(g.stored_bytes) FROM gone g JOIN users u ON u.id = g.user_id
      WHERE g.stored_bytes <> 0 GROUP BY g.user_id ORDER BY g.user_id
      ON CONFLICT (user_id, shard) DO UPDATE SET bytes = s.bytes + excluded.bytes;
      RETURN NULL;
    END
    $body$;
    CREATE TRIGGER jobs_free_stored_bytes AFTER DELETE ON jobs REFERENCING OLD TABLE AS gone
      FOR EACH STATEMENT EXECUTE FUNCTION free_stored_bytes();

    -- Requests per second of each user as each API process counted them last.
    CREATE UNLOGGED TABLE request_rates (
      process_id uuid NOT NULL,
      user_id uuid NOT NULL,
      per_second real NOT NULL,
      counted_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (user_id, process_id)
    );
  `,
};
