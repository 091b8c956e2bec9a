import type { Migration } from './migration.ts';

/**
 * What the whole fleet knows of a host: who holds its permits, when the next page may be fetched, what its robots.txt says,
 * whether its pages need a browser.
 *
 * The permits are in the host's own row and not in a table of theirs: a statement that waited for the row's lock sees the
 * row as it is now, but other tables as they were when it began, and would grant one permit too many.
 */
export const hosts: Migration = {
  name: '0006-hosts',
  sql: `
    CREATE TABLE hosts (
      -- With the port where it is not the default of the scheme.
      host text PRIMARY KEY,
      -- Permit id to the end of its lease, in milliseconds since 1970.
      permits jsonb NOT NULL DEFAULT '{}',
      next_start_at timestamptz NOT NULL DEFAULT to_timestamp(0),
      -- The host asked for a pause until then.
      paused_until timestamptz NOT NULL DEFAULT to_timestamp(0),
      -- The last job in the host's queue was told to come back then.
      queue_until timestamptz NOT NULL DEFAULT to_timestamp(0),
      -- To the hour, so that an exchange of permits changes no index and its update stays within the page (HOT).
      used_at timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 40);
    -- For the pruner, like the two below.
    CREATE INDEX hosts_by_age ON hosts (used_at);

    CREATE TABLE robots (
      -- Scheme, host and port: each has a robots.txt of its own.
      origin text PRIMARY KEY,
      -- What was read last; null if there was none.
      body bytea,
      has_rules boolean NOT NULL DEFAULT false,
      -- Why the last attempt to read it failed.
      error_code text,
      unreachable_since timestamptz,
      fresh_until timestamptz NOT NULL DEFAULT to_timestamp(0),
      -- A worker reads it now.
      fetch_lock_until timestamptz NOT NULL DEFAULT to_timestamp(0)
    );
    CREATE INDEX robots_by_age ON robots (fresh_until);

    -- The engine that a host's pages need, learned by any worker for all. The host is that of a URL, with its port.
    CREATE TABLE rendering_types (
      host text PRIMARY KEY,
      engine text NOT NULL CHECK (engine IN ('http', 'browser')),
      reason text NOT NULL,
      streak integer NOT NULL,
      seen_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX rendering_types_by_age ON rendering_types (seen_at);

    -- Outbound connections blocked by the egress policy, by reason, over all processes and for good.
    CREATE TABLE blocked_requests (
      reason text PRIMARY KEY,
      count bigint NOT NULL
    );
  `,
};
