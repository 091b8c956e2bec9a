import type { Migration } from './migration.ts';

/**
 * Deletions are work that runs in the background, in parts. What a part removes is counted by the statement that
 * removes it, so that the counts are exact whenever a process dies.
 */
export const deletions: Migration = {
  name: '0018-deletions',
  sql: `
    CREATE TABLE deletions (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      kind text NOT NULL CHECK (kind IN ('jobs', 'leads', 'user', 'erasure')),
      -- Whose data; null: those of all users. No reference: the record outlives the user.
      user_id uuid,
      requested_by uuid NOT NULL,
      -- Of the deletion of one job.
      job_id uuid,
      -- What to remove. Null once it is: a filter may name a person.
      request json,
      -- Where the work continues.
      progress json,
      planned jsonb NOT NULL DEFAULT '{}',
      removed jsonb NOT NULL DEFAULT '{}',
      created_at timestamptz NOT NULL DEFAULT now(),
      started_at timestamptz,
      finished_at timestamptz
    );
    CREATE INDEX deletions_open ON deletions (created_at, id) WHERE finished_at IS NULL;
    CREATE INDEX deletions_newest ON deletions (created_at DESC, id DESC);
    CREATE INDEX deletions_of_requester ON deletions (requested_by, created_at DESC, id DESC);
    CREATE UNIQUE INDEX deletions_of_job ON deletions (job_id) WHERE job_id IS NOT NULL;

    -- A job with a deletion is final, and no request finds it.
    ALTER TABLE jobs ADD COLUMN deletion_id uuid;
    CREATE INDEX jobs_deleting ON jobs (deletion_id, id) WHERE deletion_id IS NOT NULL;

    -- Recently deleted: a message that names one is dropped; one that names another unknown job is a dead letter.
    CREATE TABLE deleted_jobs (
      id uuid PRIMARY KEY,
      deleted_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX deleted_jobs_by_age ON deleted_jobs (deleted_at);

    -- A worker that does not know of the deletion yet may still write into the folder, so it is emptied again later.
    ALTER TABLE artifact_folders ADD COLUMN deletion_id uuid, ADD COLUMN empty_again_at timestamptz;
    CREATE INDEX artifact_folders_deleting ON artifact_folders (deletion_id) WHERE deletion_id IS NOT NULL;

    CREATE INDEX notifications_by_job ON notifications (job_id) WHERE job_id IS NOT NULL;
    CREATE INDEX deliveries_by_user ON deliveries (user_id, job_id);
    -- Only of this queue: the others are short, and the index would cost each of their messages.
    CREATE INDEX messages_failed_by_job ON queue.messages ((substring(body FROM '"job_id":"([0-9a-f-]{36})"')))
      WHERE queue = 'failed_jobs';
  `,
};
