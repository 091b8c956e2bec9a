import type { Migration } from './migration.ts';

/**
 * What is not to be stored again. By a hash with the installation's key: the list of those who asked to be forgotten
 * must not be readable.
 */
export const suppressions: Migration = {
  name: '0022-suppressions',
  sql: `
    CREATE TABLE suppressions (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      -- Whose data; null: those of all users.
      user_id uuid REFERENCES users,
      kind text NOT NULL CHECK (kind IN ('email', 'phone', 'domain', 'person')),
      hash bytea NOT NULL,
      -- Of a phone number without the code of its country.
      national_hash bytea,
      -- Readable only if it was put on the list by hand.
      value text,
      reason text,
      requested_by uuid NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      hits bigint NOT NULL DEFAULT 0,
      last_hit_at timestamptz
    );
    CREATE UNIQUE INDEX suppressions_unique ON suppressions (hash, coalesce(user_id, '00000000-0000-0000-0000-000000000000'));
    CREATE INDEX suppressions_national ON suppressions (national_hash) WHERE national_hash IS NOT NULL;
    CREATE INDEX suppressions_newest ON suppressions (created_at DESC, id DESC);
    CREATE INDEX suppressions_of_user ON suppressions (user_id, created_at DESC, id DESC);

    -- Objects in the store whose page is removed: recorded with the removal, forgotten when they are gone.
    CREATE TABLE artifact_leftovers (
      deletion_id uuid NOT NULL,
      job_id uuid NOT NULL,
      position integer NOT NULL,
      name text NOT NULL,
      PRIMARY KEY (deletion_id, job_id, position, name)
    );
  `,
};
