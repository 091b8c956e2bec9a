import type { Migration } from './migration.ts';

/** Who may call the API. A key is shown once; only its SHA-256 is stored, which is enough for 256 random bits. */
export const usersAndKeys: Migration = {
  name: '0001-users-and-keys',
  sql: `
    CREATE TABLE users (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      email text NOT NULL UNIQUE,
      name text NOT NULL,
      role text NOT NULL CHECK (role IN ('admin', 'user')),
      created_at timestamptz NOT NULL DEFAULT now()
    );

    CREATE TABLE api_keys (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid NOT NULL REFERENCES users,
      name text NOT NULL,
      prefix text NOT NULL,
      hash bytea NOT NULL UNIQUE,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz,
      revoked_at timestamptz
    );
    CREATE INDEX api_keys_by_user ON api_keys (user_id, created_at);

    -- Keys that the installation generates once and all its processes share.
    CREATE TABLE installation_secrets (
      name text PRIMARY KEY,
      value text NOT NULL
    );
  `,
};
