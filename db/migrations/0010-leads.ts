import type { Migration } from './index.ts';

/**
 * Leads, one a job and business. `id` is the order they were found in; within a job it is commit order too, because each is stored
 * under its job's row lock. `words` is what a search looks in, folded by the program: Postgres would take `acme-tools.de` for one word.
 */
export const leads: Migration = {
  name: '0010-leads',
  up: `
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
      words tsvector NOT NULL,
      content json NOT NULL,
      found_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (job_id, key)
    );
    CREATE UNIQUE INDEX leads_of_job ON leads (job_id, id);
    CREATE INDEX leads_newest ON leads (user_id, id DESC);
    -- Whether a business was found again later.
    CREATE INDEX leads_by_key ON leads (user_id, key, id DESC);
    CREATE INDEX leads_by_domain ON leads (user_id, domain, id DESC);
    CREATE INDEX leads_by_words ON leads USING gin (words);

    -- Candidates a job has dealt with, so that an attempt after a crash asks no site again.
    CREATE TABLE lead_visits (
      job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
      key text NOT NULL,
      failed boolean NOT NULL,
      PRIMARY KEY (job_id, key)
    );
  `,
};
