import { JOB_STATUSES } from '../../core/jobs/job-status.ts';
import type { Migration } from './index.ts';

/**
 * Jobs, the truth everything else follows.
 *
 * `spec` is json and not jsonb: it is handed back untouched, and jsonb would reorder its keys.
 *
 * A partial index an access path, so that the million finished jobs cost the few waiting ones nothing. None holds a column
 * that a heartbeat or a progress report changes, so those updates stay within their page (HOT).
 */
export const jobs: Migration = {
  name: '0002-jobs',
  up: `
    CREATE TABLE jobs (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users,
      status text NOT NULL CHECK (status IN (${JOB_STATUSES.map((status) => `'${status}'`).join(', ')})),
      priority smallint NOT NULL,
      attempt integer NOT NULL DEFAULT 0,
      max_attempts integer NOT NULL,
      snoozes integer NOT NULL DEFAULT 0,
      spec json NOT NULL,
      correlation_id text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      run_at timestamptz NOT NULL,
      dispatched_at timestamptz,
      started_at timestamptz,
      finished_at timestamptz,
      attempt_started_at timestamptz,
      worker_id text,
      lease_until timestamptz,
      progress_done integer NOT NULL DEFAULT 0,
      progress_total integer NOT NULL DEFAULT 0,
      progress_message text,
      pages_count integer NOT NULL DEFAULT 0,
      leads_count integer NOT NULL DEFAULT 0,
      errors_count integer NOT NULL DEFAULT 0,
      error_code text,
      error_message text,
      CONSTRAINT running_under_a_lease CHECK ((status = 'running') = (lease_until IS NOT NULL))
    ) WITH (fillfactor = 80);

    -- Waits in Postgres: what the dispatcher takes next.
    CREATE INDEX jobs_waiting ON jobs (priority DESC, created_at, id)
      WHERE status = 'queued' AND dispatched_at IS NULL;
    -- Waits in the queue: how full the window is, and what was lost there.
    CREATE INDEX jobs_dispatched ON jobs (priority, dispatched_at)
      WHERE status = 'queued' AND dispatched_at IS NOT NULL;
    CREATE INDEX jobs_due ON jobs (run_at) WHERE status IN ('scheduled', 'retrying');
    -- As many as there are slots, so the rescuer reads them all and the lease itself needs no index.
    CREATE INDEX jobs_running ON jobs (id) WHERE status = 'running';
    CREATE INDEX jobs_newest ON jobs (user_id, created_at DESC, id DESC);
    CREATE INDEX jobs_newest_by_status ON jobs (user_id, status, created_at DESC, id DESC);
    -- For the pruner. BRIN: a few pages in all, and jobs finish about in the order they lie in.
    CREATE INDEX jobs_finished ON jobs USING brin (finished_at);

    CREATE TABLE attempts (
      job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
      started_at timestamptz NOT NULL,
      attempt integer NOT NULL,
      worker_id text NOT NULL,
      finished_at timestamptz NOT NULL DEFAULT now(),
      outcome text NOT NULL,
      error_code text,
      error_message text,
      -- Not the attempt's number: one that was given back is used again.
      PRIMARY KEY (job_id, started_at)
    );

    CREATE TABLE idempotency_keys (
      user_id uuid NOT NULL,
      key text NOT NULL,
      body_hash text NOT NULL,
      job_ids uuid[] NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (user_id, key)
    );
    CREATE INDEX idempotency_keys_by_age ON idempotency_keys USING brin (created_at);
  `,
};
