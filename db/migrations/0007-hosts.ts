import type { Migration } from './index.ts';

/**
 * What the whole fleet knows of a host: who is at it, when the next page may be asked for, what its robots.txt says.
 *
 * The permits stand in the host's own row and not in a table of theirs: whoever waited for the row's lock sees the row as it is now,
 * but other tables as they were when its statement began, and would let one more in.
 */
export const hosts: Migration = {
  name: '0007-hosts',
  up: `
    CREATE TABLE hosts (
      -- With the port where it is not the scheme's own.
      host text PRIMARY KEY,
      -- By id, the moment at which the lease ends, in milliseconds since 1970.
      permits jsonb NOT NULL DEFAULT '{}',
      next_at timestamptz NOT NULL DEFAULT to_timestamp(0),
      -- The host asked to be left alone until then.
      paused_until timestamptz NOT NULL DEFAULT to_timestamp(0),
      -- Jobs were told to come back for their turn, the last of them then.
      line_until timestamptz NOT NULL DEFAULT to_timestamp(0),
      used_at timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 40);

    CREATE TABLE robots (
      -- Scheme, host and port: each has a robots.txt of its own.
      origin text PRIMARY KEY,
      -- What was read last; null where there was none.
      body bytea,
      has_rules boolean NOT NULL DEFAULT false,
      -- Why the last try to read it failed.
      error_code text,
      unreachable_since timestamptz,
      fresh_until timestamptz NOT NULL DEFAULT to_timestamp(0),
      -- Somebody reads it now.
      reading_until timestamptz NOT NULL DEFAULT to_timestamp(0)
    );
  `,
};
