import type { Migration } from './migration.ts';

/**
 * Jobs, the source of truth for everything else, with their attempts, their pages and the frontiers of crawls.
 *
 * `spec` is json and not jsonb: it is returned untouched, and jsonb would reorder its keys.
 *
 * One partial index per access path, so that a million finished jobs cost the few waiting ones nothing. None contains a
 * column that a heartbeat or a progress report changes, so those updates stay within their page (HOT).
 */
export const jobs: Migration = {
  name: '0002-jobs',
  sql: `
    CREATE TABLE jobs (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users,
      status text NOT NULL
        CHECK (status IN ('scheduled', 'queued', 'running', 'retrying', 'completed', 'failed', 'cancelled')),
      priority smallint NOT NULL,
      attempt integer NOT NULL DEFAULT 0,
      max_attempts integer NOT NULL,
      -- Snoozes of the current attempt that count against its budget.
      snoozes integer NOT NULL DEFAULT 0,
      -- How often the job has yielded to a more urgent one: marking it as dispatched names the dispatch it means.
      yield_count integer NOT NULL DEFAULT 0,
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
      -- When the last job.progress event was written; there is at most one per second.
      progress_event_at timestamptz,
      pages_count integer NOT NULL DEFAULT 0,
      leads_count integer NOT NULL DEFAULT 0,
      errors_count integer NOT NULL DEFAULT 0,
      error_code text,
      error_message text,
      CONSTRAINT jobs_running_has_lease CHECK ((status = 'running') = (lease_until IS NOT NULL))
    ) WITH (fillfactor = 80);

    -- Waits in Postgres: what the dispatcher takes next.
    CREATE INDEX jobs_waiting ON jobs (priority DESC, created_at, id)
      WHERE status = 'queued' AND dispatched_at IS NULL;
    -- Waits in the queue: how full the dispatch window is, and which messages were lost.
    CREATE INDEX jobs_dispatched ON jobs (priority, dispatched_at)
      WHERE status = 'queued' AND dispatched_at IS NOT NULL;
    CREATE INDEX jobs_due ON jobs (run_at) WHERE status IN ('scheduled', 'retrying');
    -- As many as there are slots, so the rescuer reads them all and the lease itself needs no index.
    CREATE INDEX jobs_running ON jobs (id) WHERE status = 'running';
    CREATE INDEX jobs_newest ON jobs (user_id, created_at DESC, id DESC);
    CREATE INDEX jobs_newest_by_status ON jobs (user_id, status, created_at DESC, id DESC);
    -- For the pruner. BRIN: a few pages in all, and jobs finish roughly in the order they are stored in.
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
      -- Not the attempt's number: that of an attempt which cost nothing is used again.
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

    -- Keyed by the place in the job, so that storing a page twice leaves one.
    CREATE TABLE pages (
      job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
      position integer NOT NULL,
      failed boolean NOT NULL,
      content json NOT NULL,
      stored_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (job_id, position)
    );

    -- The frontier of a crawl, from which an interrupted crawl resumes. The position is the order of discovery and that of
    -- the page among the job's pages.
    CREATE TABLE crawl_urls (
      job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
      position integer NOT NULL,
      url text NOT NULL,
      depth smallint NOT NULL,
      -- Links followed in a row within one pattern of addresses, see scraping/crawl/traps.ts.
      pattern_depth integer NOT NULL,
      state text NOT NULL DEFAULT 'waiting',
      tries smallint NOT NULL DEFAULT 0,
      title text,
      content_hash bytea,
      PRIMARY KEY (job_id, position)
    ) WITH (fillfactor = 80);

    -- The fleet as it is now: the dispatcher sizes its window by it. Unlogged: each worker rewrites its row every second.
    CREATE UNLOGGED TABLE workers (
      id text PRIMARY KEY,
      slots integer NOT NULL,
      claims_per_second real NOT NULL DEFAULT 0,
      started_at timestamptz NOT NULL DEFAULT now(),
      seen_at timestamptz NOT NULL DEFAULT now()
    );
  `,
};
