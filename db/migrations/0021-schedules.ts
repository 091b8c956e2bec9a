import type { Migration } from './migration.ts';

/**
 * Jobs that recur. What became of each due time is a row of `schedule_runs`, whose key makes a second job for one time
 * impossible. Its job is no foreign key: runs outlive their jobs, and deleting a job must not lock its schedule.
 */
export const schedules: Migration = {
  name: '0021-schedules',
  sql: `
    CREATE TABLE schedules (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
      name text,
      cron text,
      every_seconds integer,
      timezone text NOT NULL,
      job json NOT NULL,
      -- The job as it was given, encrypted, if a part of it is secret.
      secrets bytea,
      overlap text NOT NULL,
      missed text NOT NULL,
      jitter_seconds integer NOT NULL,
      starts_at timestamptz NOT NULL,
      ends_at timestamptz,
      paused boolean NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      -- The first due time that is not decided, and when it starts; null: paused or ended.
      next_due_at timestamptz,
      next_start_at timestamptz,
      -- next_due_at waits for the end of the run before.
      has_waited boolean NOT NULL DEFAULT false,
      last_job_id uuid,
      CHECK ((cron IS NULL) <> (every_seconds IS NULL))
    ) WITH (fillfactor = 80);
    CREATE INDEX schedules_due ON schedules (next_start_at) WHERE next_start_at IS NOT NULL;
    CREATE INDEX schedules_newest ON schedules (user_id, created_at DESC, id DESC);
    CREATE INDEX schedules_by_encryption_key ON schedules (substring(secrets FROM 2 FOR 4), id) WHERE secrets IS NOT NULL;

    CREATE TABLE schedule_runs (
      id uuid NOT NULL,
      schedule_id uuid NOT NULL REFERENCES schedules ON DELETE CASCADE,
      -- By hand: when it was asked for.
      due_at timestamptz NOT NULL,
      -- The first of the due times that this one stands for, if there are several.
      merged_since timestamptz,
      outcome text NOT NULL CHECK (outcome IN ('started', 'skipped_overlap', 'skipped_missed', 'failed')),
      by_hand boolean NOT NULL DEFAULT false,
      job_id uuid,
      error text,
      decided_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (schedule_id, due_at, by_hand)
    );
    CREATE INDEX schedule_runs_newest ON schedule_runs (schedule_id, decided_at DESC, id DESC);
    CREATE INDEX schedule_runs_by_age ON schedule_runs USING brin (decided_at);
  `,
};
