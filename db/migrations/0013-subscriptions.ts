import type { Migration } from './index.ts';

/**
 * Who wants to be told of what, and where. A webhook's address is an endpoint of its own, because its secret, its health and
 * its history outlive any one subscription; a job's own `webhook_url` finds or makes one.
 */
export const subscriptions: Migration = {
  name: '0013-subscriptions',
  up: `
    CREATE TABLE webhooks (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid NOT NULL REFERENCES users,
      url text NOT NULL,
      description text NOT NULL DEFAULT '',
      secret bytea NOT NULL,
      -- After a rotation both sign until then.
      old_secret bytea,
      old_secret_until timestamptz,
      failing_since timestamptz,
      paused_at timestamptz,
      paused_reason text CHECK (paused_reason IN ('failing', 'gone', 'user')),
      created_at timestamptz NOT NULL DEFAULT now()
    );
    -- A hash: an index entry has no room for the longest URL.
    CREATE UNIQUE INDEX webhooks_once ON webhooks (user_id, md5(url));

    CREATE TABLE subscriptions (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid NOT NULL REFERENCES users,
      events text[] NOT NULL,
      filter jsonb NOT NULL DEFAULT '{}',
      channel text NOT NULL CHECK (channel IN ('in_app', 'email', 'push', 'webhook')),
      -- E-mail: the address. Push: the browser's subscription as JSON. Else null.
      target text,
      webhook_id uuid REFERENCES webhooks ON DELETE CASCADE,
      active boolean NOT NULL DEFAULT true,
      created_at timestamptz NOT NULL DEFAULT now(),
      CHECK ((channel = 'webhook') = (webhook_id IS NOT NULL)),
      CHECK ((channel IN ('email', 'push')) = (target IS NOT NULL))
    );
    CREATE INDEX subscriptions_by_user ON subscriptions (user_id, created_at DESC, id DESC);
    CREATE INDEX subscriptions_by_webhook ON subscriptions (webhook_id) WHERE webhook_id IS NOT NULL;
    CREATE INDEX subscriptions_by_push ON subscriptions (md5(target)) WHERE channel = 'push';

    -- Keys the installation makes for itself once, the same for all its processes.
    CREATE TABLE installation_secrets (
      name text PRIMARY KEY,
      value text NOT NULL
    );
  `,
};
