import type { Migration } from './migration.ts';

/** Users can be disabled. Keys say when they were used and which key issued them, and may be bound to addresses. */
export const keyLife: Migration = {
  name: '0023-key-life',
  sql: `
    ALTER TABLE users
      ADD COLUMN disabled_at timestamptz,
      -- The user of BOOTSTRAP_API_KEY, whatever their e-mail address is by now.
      ADD COLUMN is_first boolean NOT NULL DEFAULT false;
    UPDATE users SET is_first = true WHERE email = 'admin@localhost';
    CREATE UNIQUE INDEX users_first ON users (is_first) WHERE is_first;
    CREATE INDEX users_disabled ON users (id) WHERE disabled_at IS NOT NULL;
    CREATE INDEX users_admins ON users (id) WHERE role = 'admin';

    ALTER TABLE api_keys
      -- To about a minute.
      ADD COLUMN last_used_at timestamptz,
      ADD COLUMN issued_by uuid REFERENCES api_keys ON DELETE SET NULL,
      -- Addresses and ranges; null: from anywhere.
      ADD COLUMN allowed_ips text[];
    CREATE INDEX api_keys_by_issuer ON api_keys (issued_by) WHERE issued_by IS NOT NULL;
  `,
};
