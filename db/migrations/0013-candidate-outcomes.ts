import type { Migration } from './migration.ts';

/**
 * What became of each candidate, and why. `id` is the order in which they were handled first; `detail` holds what
 * belongs to one outcome only.
 */
export const candidateOutcomes: Migration = {
  name: '0013-candidate-outcomes',
  sql: `
    ALTER TABLE lead_candidates
      ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY,
      ADD COLUMN sources text[] NOT NULL DEFAULT '{}',
      ADD COLUMN outcome text NOT NULL DEFAULT 'lead',
      ADD COLUMN detail json NOT NULL DEFAULT '{}',
      ADD COLUMN checked_at timestamptz NOT NULL DEFAULT now();
    UPDATE lead_candidates c SET outcome = CASE WHEN failed THEN 'failed' ELSE 'empty' END
    WHERE NOT EXISTS (SELECT FROM leads l WHERE l.job_id = c.job_id AND l.key = c.key);
    CREATE UNIQUE INDEX lead_candidates_by_job ON lead_candidates (job_id, id);
  `,
};
