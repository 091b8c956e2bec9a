import type { Migration } from './migration.ts';

/**
 * Leads, one per job and business. `id` is the order they were found in; within a job it is commit order too, because each
 * is stored under its job's row lock. `search_vector` is built from words that the program has folded: Postgres would take
 * `acme-tools.de` for one word.
 */
export const leads: Migration = {
  name: '0004-leads',
  sql: `
    CREATE TABLE leads (
      job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
      key text NOT NULL,
      id bigint GENERATED ALWAYS AS IDENTITY,
      user_id uuid NOT NULL,
      domain text,
      countries text[] NOT NULL,
      sources text[] NOT NULL,
      has_email boolean NOT NULL,
      has_phone boolean NOT NULL,
      search_vector tsvector NOT NULL,
      content json NOT NULL,
      found_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (job_id, key)
    );
    CREATE UNIQUE INDEX leads_by_job ON leads (job_id, id);
    CREATE INDEX leads_newest ON leads (user_id, id DESC);
    -- Whether a business was found again later.
    CREATE INDEX leads_by_key ON leads (user_id, key, id DESC);
    CREATE INDEX leads_by_domain ON leads (user_id, domain, id DESC);
    CREATE INDEX leads_search ON leads USING gin (search_vector);

    -- Candidates that a job has processed, so that an attempt after a crash fetches no site again.
    CREATE TABLE lead_candidates (
      job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
      key text NOT NULL,
      failed boolean NOT NULL,
      PRIMARY KEY (job_id, key)
    );
  `,
};
