import type { Migration } from './index.ts';

/**
 * Clicks, written by the analytics worker alone and read by the API alone. The rows themselves keep a click that is delivered twice
 * from being counted twice, and are removed with the retention; the roll-ups stay.
 *
 * No foreign key to links: a click may arrive hours later, when its link is gone. No address of anybody is in here: `visitor` is a
 * hash whose salt is forgotten after its day.
 */
export const clicks: Migration = {
  name: '0021-clicks',
  up: `
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
    -- For the pruner; clicks lie about in the order they came.
    CREATE INDEX clicks_by_age ON clicks USING brin (clicked_at);

    CREATE TABLE link_hours (
      link_id uuid NOT NULL,
      hour timestamptz NOT NULL,
      people integer NOT NULL,
      visitors integer NOT NULL,
      bots integer NOT NULL,
      heads integer NOT NULL,
      PRIMARY KEY (link_id, hour)
    );
    CREATE TABLE link_days (
      link_id uuid NOT NULL,
      day date NOT NULL,
      people integer NOT NULL,
      visitors integer NOT NULL,
      bots integer NOT NULL,
      heads integer NOT NULL,
      PRIMARY KEY (link_id, day)
    );
    -- What people came with, by day: kind is referrer, user_agent, device or country; bot names what no person sent.
    CREATE TABLE link_breakdowns (
      link_id uuid NOT NULL,
      day date NOT NULL,
      kind text NOT NULL,
      value text NOT NULL,
      clicks integer NOT NULL,
      PRIMARY KEY (link_id, day, kind, value)
    );
    -- Who was there in which hours of a day, a bit an hour: what makes a click the visitor's first of its hour or day.
    CREATE TABLE link_visitors (
      link_id uuid NOT NULL,
      day date NOT NULL,
      visitor bigint NOT NULL,
      hours integer NOT NULL,
      PRIMARY KEY (link_id, day, visitor)
    );
    CREATE INDEX link_visitors_by_age ON link_visitors (day);

    CREATE TABLE visitor_salts (
      day date PRIMARY KEY,
      salt bytea NOT NULL
    );
  `,
};
