import type { Migration } from './migration.ts';

/**
 * Screenshots and PDFs of pages. They may be stored outside of the database; the row then only says that there is one. A
 * folder is recorded before anything is put into it and removed when it is empty, so that nothing outside outlives its job,
 * whenever a worker dies. The reference tells the folders of deleted jobs: looking for them read every folder there was, at each
 * step of the pruner.
 */
export const artifacts: Migration = {
  name: '0005-artifacts',
  sql: `
    CREATE TABLE artifacts (
      job_id uuid NOT NULL,
      position integer NOT NULL,
      name text NOT NULL,
      content_type text NOT NULL,
      body bytea,
      PRIMARY KEY (job_id, position, name),
      FOREIGN KEY (job_id, position) REFERENCES pages ON DELETE CASCADE
    );
    -- They are compressed already.
    ALTER TABLE artifacts ALTER COLUMN body SET STORAGE EXTERNAL;

    CREATE TABLE artifact_folders (
      -- Named by the id of its job.
      name uuid PRIMARY KEY,
      -- Null once the job is deleted.
      job_id uuid REFERENCES jobs ON DELETE SET NULL,
      opened_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX artifact_folders_by_job ON artifact_folders (job_id) WHERE job_id IS NOT NULL;
    CREATE INDEX artifact_folders_abandoned ON artifact_folders (name) WHERE job_id IS NULL;
  `,
};
