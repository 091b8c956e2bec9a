import type { Migration } from './index.ts';

/**
 * What nobody could do: jobs that failed, and messages that could not be read. Written in the transaction that fails a job, so
 * every failed job has one that is open until somebody replays or discards it.
 */
export const deadLetters: Migration = {
  name: '0006-dead-letters',
  up: `
    CREATE TABLE dead_letters (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      job_id uuid REFERENCES jobs ON DELETE CASCADE,
      user_id uuid,
      queue text NOT NULL,
      code text NOT NULL,
      message text NOT NULL,
      body text,
      fingerprint text,
      created_at timestamptz NOT NULL DEFAULT now(),
      closed_at timestamptz,
      closed_as text CHECK (closed_as IN ('requeued', 'discarded'))
    );
    CREATE INDEX dead_letters_open ON dead_letters (created_at DESC, id DESC) WHERE closed_at IS NULL;
    -- A message whose rejection got lost is buried again.
    CREATE UNIQUE INDEX dead_letters_once ON dead_letters (queue, fingerprint) WHERE closed_at IS NULL;
    CREATE INDEX dead_letters_by_job ON dead_letters (job_id) WHERE job_id IS NOT NULL;
  `,
};
