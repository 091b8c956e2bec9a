import type { Migration } from './migration.ts';

/**
 * Secrets are stored encrypted: those of jobs and pushes in columns of their own, the keys of webhooks in the columns they
 * had. Their format is that of runtime/secrets/secret-box.ts: bytes 2 to 5 name the encryption key. The indexes find what
 * another key than the current one has encrypted.
 */
export const secrets: Migration = {
  name: '0016-secrets',
  sql: `
    -- The keys with which values here may be encrypted. A process that lacks one of them does not start.
    CREATE TABLE encryption_keys (
      id text PRIMARY KEY,
      used_since timestamptz NOT NULL DEFAULT now()
    );

    -- Headers, cookies, proxies, typed texts and logins of the request; null if it has none.
    ALTER TABLE jobs ADD COLUMN secrets bytea;
    CREATE INDEX jobs_by_encryption_key ON jobs (substring(secrets FROM 2 FOR 4)) WHERE secrets IS NOT NULL;

    -- User name and password that stood in the URL.
    ALTER TABLE webhooks ADD COLUMN login bytea;
    CREATE INDEX webhooks_by_encryption_key ON webhooks (substring(secret FROM 2 FOR 4));
    CREATE INDEX webhooks_by_previous_encryption_key ON webhooks (substring(previous_secret FROM 2 FOR 4))
      WHERE previous_secret IS NOT NULL;
    CREATE INDEX webhooks_by_login_encryption_key ON webhooks (substring(login FROM 2 FOR 4)) WHERE login IS NOT NULL;

    -- Push: the browser's subscription. \`target\` is the origin of its service, with a hash.
    ALTER TABLE subscriptions ADD COLUMN secrets bytea;
    CREATE INDEX subscriptions_by_encryption_key ON subscriptions (substring(secrets FROM 2 FOR 4)) WHERE secrets IS NOT NULL;
  `,
};
