import type { Migration } from './migration.ts';

/**
 * Short links and their clicks.
 *
 * A deleted link keeps its row, and with it its code, until it is pruned: a printed code must not lead to a stranger's page.
 *
 * Clicks are written by the analytics worker alone and read by the API alone. The rows only keep a click that is delivered
 * twice from being counted twice, and are removed after the retention; the roll-ups stay. There is no foreign key to links:
 * a click may arrive hours later, when its link is gone. No IP address is stored: `visitor` is a hash whose salt is deleted
 * after its day.
 */
export const links: Migration = {
  name: '0009-links',
  sql: `
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
    -- Those of one job; also for e-mails about it, which link to its results if the owner shares them.
    CREATE INDEX links_by_job ON links (job_id, created_at DESC, id DESC) WHERE job_id IS NOT NULL AND deleted_at IS NULL;

    CREATE TABLE clicks (
      id uuid PRIMARY KEY,
      link_id uuid NOT NULL,
      clicked_at timestamptz NOT NULL,
      kind text NOT NULL,
      visitor bigint,
      referrer text,
      user_agent text,
      device text,
      country text
    );
    -- For the pruner; clicks are stored roughly in the order they came.
    CREATE INDEX clicks_by_age ON clicks USING brin (clicked_at);

    -- Of the day's visitors, how many came first in this hour and how many last. The visitors of a part of a day are a sum
    -- of these, at most 24 rows, instead of a look at each visitor (a tenth of a second for 80,000).
    CREATE TABLE link_hourly (
      link_id uuid NOT NULL,
      hour timestamptz NOT NULL,
      human_clicks integer NOT NULL,
      visitors integer NOT NULL,
      bot_clicks integer NOT NULL,
      head_requests integer NOT NULL,
      first_visits integer NOT NULL DEFAULT 0,
      last_visits integer NOT NULL DEFAULT 0,
      PRIMARY KEY (link_id, hour)
    );
    CREATE TABLE link_daily (
      link_id uuid NOT NULL,
      day date NOT NULL,
      human_clicks integer NOT NULL,
      visitors integer NOT NULL,
      bot_clicks integer NOT NULL,
      head_requests integer NOT NULL,
      PRIMARY KEY (link_id, day)
    );
    -- Human clicks by day: kind is referrer, user_agent, device or country. Kind bot counts the clicks of bots by their name.
    CREATE TABLE link_breakdowns (
      link_id uuid NOT NULL,
      day date NOT NULL,
      kind text NOT NULL,
      value text NOT NULL,
      clicks integer NOT NULL,
      PRIMARY KEY (link_id, day, kind, value)
    );
    -- The hours of a day in which a visitor clicked, one bit per hour: tells the visitor's first click of an hour or day.
    CREATE TABLE link_visitors (
      link_id uuid NOT NULL,
      day date NOT NULL,
      visitor bigint NOT NULL,
      hours_mask integer NOT NULL,
      PRIMARY KEY (link_id, day, visitor)
    );
    CREATE INDEX link_visitors_by_age ON link_visitors (day);

    CREATE TABLE visitor_salts (
      day date PRIMARY KEY,
      salt bytea NOT NULL
    );
  `,
};
