import type { Migration } from './index.ts';

/**
 * Pictures and PDFs may lie outside of the database: the row then says only that there is one. A folder is noted before anything
 * is put into it and forgotten when it is empty, so that nothing outside outlives its job, whenever a worker dies.
 */
export const artifacts: Migration = {
  name: '0011-artifacts',
  up: `
    ALTER TABLE artifacts ALTER COLUMN body DROP NOT NULL;

    -- No reference to jobs: it is here to tell of those that are gone.
    CREATE TABLE artifact_folders (
      job_id uuid PRIMARY KEY,
      opened_at timestamptz NOT NULL DEFAULT now()
    );
  `,
};
