import type { Migration } from './index.ts';

/**
 * Short links. A deleted one keeps its row, and with it its code, until it is pruned: a code that somebody has on paper must not
 * lead to a stranger's page tomorrow.
 *
 * The index on the ledger is for the processes that keep links in memory and follow what changes: partial, so that all other
 * events cost it nothing.
 */
export const links: Migration = {
  name: '0020-links',
  up: `
    CREATE TABLE links (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      code text NOT NULL UNIQUE,
      user_id uuid NOT NULL REFERENCES users,
      url text NOT NULL,
      -- Leads to the results of the job, which anybody with the code may read.
      share boolean NOT NULL DEFAULT false,
      job_id uuid,
      lead_id text,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz,
      deleted_at timestamptz
    );
    CREATE INDEX links_newest ON links (user_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
    CREATE INDEX links_deleted ON links (deleted_at) WHERE deleted_at IS NOT NULL;

    CREATE INDEX events_of_links ON events (xid, seq)
      WHERE type IN ('link.created', 'link.changed', 'link.deleted');
  `,
};
