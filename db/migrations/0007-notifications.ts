import type { Migration } from './migration.ts';

/**
 * Who wants to be notified of what, and what became of it.
 *
 * A webhook's address is an endpoint of its own, because its secret, its health and its history outlive any one
 * subscription; a job's own `webhook_url` finds or creates one. The unique indexes are the inbox: an event that is
 * processed twice notifies nobody twice. `deliveries` is to notifications what `jobs` is to scraping: the queue only
 * announces what is due, and delays are kept here.
 */
export const notifications: Migration = {
  name: '0007-notifications',
  sql: `
    CREATE TABLE webhooks (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid NOT NULL REFERENCES users,
      url text NOT NULL,
      description text NOT NULL DEFAULT '',
      secret bytea NOT NULL,
      -- After a rotation both sign until then.
      previous_secret bytea,
      previous_secret_until timestamptz,
      failing_since timestamptz,
      paused_at timestamptz,
      paused_reason text CHECK (paused_reason IN ('failing', 'gone', 'user')),
      created_at timestamptz NOT NULL DEFAULT now()
    );
    -- A hash: an index entry has no room for the longest URL.
    CREATE UNIQUE INDEX webhooks_unique ON webhooks (user_id, md5(url));

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

    CREATE TABLE notifications (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid NOT NULL REFERENCES users,
      event_id uuid NOT NULL,
      type text NOT NULL,
      urgent boolean NOT NULL,
      job_id uuid,
      data json NOT NULL,
      occurred_at timestamptz NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      read_at timestamptz
    );
    CREATE UNIQUE INDEX notifications_unique ON notifications (event_id, user_id);
    CREATE INDEX notifications_newest ON notifications (user_id, occurred_at DESC, id DESC);
    CREATE INDEX notifications_unread ON notifications (user_id, occurred_at DESC, id DESC) WHERE read_at IS NULL;
    CREATE INDEX notifications_by_age ON notifications USING brin (created_at);

    CREATE TABLE deliveries (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      event_id uuid NOT NULL,
      user_id uuid NOT NULL REFERENCES users,
      channel text NOT NULL CHECK (channel IN ('email', 'push', 'webhook')),
      -- E-mail: the address. Push: the browser's subscription as JSON. Webhook: the endpoint's id.
      target text NOT NULL,
      webhook_id uuid REFERENCES webhooks ON DELETE CASCADE,
      type text NOT NULL,
      urgent boolean NOT NULL,
      job_id uuid,
      correlation_id text NOT NULL,
      data json NOT NULL,
      occurred_at timestamptz NOT NULL,
      status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sending', 'delivered', 'failed')),
      -- Counts every attempt, because it is the fence.
      attempt integer NOT NULL DEFAULT 0,
      -- Attempts before the last redelivery, which no longer count against the limit.
      attempt_offset integer NOT NULL DEFAULT 0,
      due_at timestamptz NOT NULL DEFAULT now(),
      queued_at timestamptz NOT NULL DEFAULT now(),
      dispatched_at timestamptz,
      lease_until timestamptz,
      holder text,
      -- Of an e-mail: all that go in one. Set by the first attempt and kept, so that a repeat is the same e-mail.
      mail_id uuid,
      error_code text,
      error_message text,
      created_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz,
      CHECK ((status = 'sending') = (lease_until IS NOT NULL))
    ) WITH (fillfactor = 80);
    CREATE UNIQUE INDEX deliveries_unique ON deliveries (event_id, channel, md5(target));
    CREATE INDEX deliveries_due ON deliveries (channel, urgent, due_at, id)
      WHERE status = 'queued' AND dispatched_at IS NULL;
    CREATE INDEX deliveries_dispatched ON deliveries (channel, dispatched_at)
      WHERE status = 'queued' AND dispatched_at IS NOT NULL;
    CREATE INDEX deliveries_sending ON deliveries (lease_until) WHERE status = 'sending';
    CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, created_at DESC, id DESC) WHERE webhook_id IS NOT NULL;
    -- What an endpoint did not accept. Among a million that it did, looking for it read them all (10 ms per 100,000).
    CREATE INDEX deliveries_undelivered ON deliveries (webhook_id, created_at DESC, id DESC)
      WHERE webhook_id IS NOT NULL AND status <> 'delivered';
    -- What one e-mail gathers, and what went into it.
    CREATE INDEX deliveries_for_mail ON deliveries (target, user_id, due_at) WHERE channel = 'email' AND status = 'queued';
    CREATE INDEX deliveries_by_mail ON deliveries (mail_id) WHERE mail_id IS NOT NULL;
    CREATE INDEX deliveries_finished ON deliveries USING brin (finished_at);

    CREATE TABLE delivery_attempts (
      delivery_id uuid NOT NULL REFERENCES deliveries ON DELETE CASCADE,
      finished_at timestamptz NOT NULL DEFAULT now(),
      duration_ms integer NOT NULL,
      -- What was answered.
      status_code integer,
      response text,
      error_code text,
      error_message text
    );
    CREATE INDEX delivery_attempts_by_delivery ON delivery_attempts (delivery_id, finished_at);

    -- When an address last got an e-mail: what is due within the minute after it is sent together.
    CREATE TABLE email_throttle (
      user_id uuid NOT NULL,
      address text NOT NULL,
      sent_at timestamptz NOT NULL,
      PRIMARY KEY (user_id, address)
    );
  `,
};
