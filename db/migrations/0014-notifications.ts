import type { Migration } from './index.ts';

/**
 * What was told to whom. The unique keys are the inbox: an event that comes twice tells nobody twice.
 *
 * `deliveries` is to notifications what `jobs` is to scraping: the truth, whose doorbell hangs in the broker. Delays live here.
 */
export const notifications: Migration = {
  name: '0014-notifications',
  up: `
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
    CREATE UNIQUE INDEX notifications_once ON notifications (event_id, user_id);
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
      attempt integer NOT NULL DEFAULT 0,
      -- Attempts made before the last redelivery: they count for nothing any more.
      attempts_before integer NOT NULL DEFAULT 0,
      due_at timestamptz NOT NULL DEFAULT now(),
      queued_at timestamptz NOT NULL DEFAULT now(),
      dispatched_at timestamptz,
      lease_until timestamptz,
      holder text,
      -- Of a mail: all that go in one. Set by the first attempt and kept, so that a repeat is the same mail.
      mail_id uuid,
      error_code text,
      error_message text,
      created_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz,
      CHECK ((status = 'sending') = (lease_until IS NOT NULL))
    ) WITH (fillfactor = 80);
    CREATE UNIQUE INDEX deliveries_once ON deliveries (event_id, channel, md5(target));
    CREATE INDEX deliveries_due ON deliveries (channel, urgent, due_at, id) WHERE status = 'queued' AND dispatched_at IS NULL;
    CREATE INDEX deliveries_dispatched ON deliveries (channel, dispatched_at) WHERE status = 'queued' AND dispatched_at IS NOT NULL;
    CREATE INDEX deliveries_sending ON deliveries (lease_until) WHERE status = 'sending';
    CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, created_at DESC, id DESC) WHERE webhook_id IS NOT NULL;
    -- What one mail gathers.
    CREATE INDEX deliveries_for_mail ON deliveries (target, user_id, due_at) WHERE channel = 'email' AND status = 'queued';
    CREATE INDEX deliveries_in_mail ON deliveries (mail_id) WHERE mail_id IS NOT NULL;
    CREATE INDEX deliveries_finished ON deliveries USING brin (finished_at);

    CREATE TABLE delivery_attempts (
      delivery_id uuid NOT NULL REFERENCES deliveries ON DELETE CASCADE,
      finished_at timestamptz NOT NULL DEFAULT now(),
      duration_ms integer NOT NULL,
      status integer,
      response text,
      error_code text,
      error_message text
    );
    CREATE INDEX delivery_attempts_by_delivery ON delivery_attempts (delivery_id, finished_at);

    -- When an address last got a mail: what comes within the minute after it goes together.
    CREATE TABLE mail_pace (
      user_id uuid NOT NULL,
      address text NOT NULL,
      sent_at timestamptz NOT NULL,
      PRIMARY KEY (user_id, address)
    );

    ALTER TABLE dead_letters ADD COLUMN delivery_id uuid REFERENCES deliveries ON DELETE CASCADE;
    CREATE INDEX dead_letters_by_delivery ON dead_letters (delivery_id) WHERE delivery_id IS NOT NULL;

    -- How far the ledger is known to be fanned out; see dispatch/fan-out.ts.
    INSERT INTO event_cursors (reader, xid, seq)
    SELECT 'fan_out', xid, seq FROM event_cursors WHERE reader = 'relay';
  `,
};
