import type { Migration } from './index.ts';

/** Whether a host's pages need a browser, learned by any worker for all. `host` is that of a URL, with its port. */
export const renderVerdicts: Migration = {
  name: '0008-render-verdicts',
  up: `
    CREATE TABLE render_verdicts (
      host text PRIMARY KEY,
      engine text NOT NULL CHECK (engine IN ('http', 'browser')),
      reason text NOT NULL,
      streak integer NOT NULL,
      seen_at timestamptz NOT NULL DEFAULT now()
    );
    -- For the pruner.
    CREATE INDEX render_verdicts_seen_at ON render_verdicts (seen_at);
  `,
};
