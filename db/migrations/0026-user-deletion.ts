import type { Migration } from './migration.ts';

/** A user with a deletion has no valid key, and is found by no request. */
export const userDeletion: Migration = {
  name: '0026-user-deletion',
  sql: `
    ALTER TABLE users ADD COLUMN deletion_id uuid;
    CREATE UNIQUE INDEX deletions_of_user ON deletions (user_id) WHERE kind = 'user';
    -- Deleted ones too, which no other index of users has.
    CREATE INDEX links_by_user ON links (user_id);
  `,
};
