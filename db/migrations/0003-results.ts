import type { Migration } from './index.ts';

/** What jobs found. Keyed by the place in the job, so that storing a page twice leaves one. */
export const results: Migration = {
  name: '0003-results',
  up: `
    CREATE TABLE pages (
      job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
      position integer NOT NULL,
      failed boolean NOT NULL,
      content json NOT NULL,
      stored_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (job_id, position)
    );

    CREATE TABLE artifacts (
      job_id uuid NOT NULL,
      position integer NOT NULL,
      name text NOT NULL,
      content_type text NOT NULL,
      body bytea NOT NULL,
      PRIMARY KEY (job_id, position, name),
      FOREIGN KEY (job_id, position) REFERENCES pages ON DELETE CASCADE
    );
    -- Pictures and PDFs are compressed already.
    ALTER TABLE artifacts ALTER COLUMN body SET STORAGE EXTERNAL;
  `,
};
