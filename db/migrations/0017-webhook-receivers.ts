import type { Migration } from './migration.ts';

/**
 * A receiver is the program behind the webhooks whose URLs differ only in their query (`?job=1`, `?job=2`): it verifies
 * with one secret. Of receivers with several webhooks so far, the secret of the oldest stays.
 */
export const webhookReceivers: Migration = {
  name: '0017-webhook-receivers',
  sql: `
    CREATE TABLE webhook_receivers (
      -- Part of what its secrets are bound to, so it has the id of its first webhook.
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users,
      -- Without query and fragment.
      url text NOT NULL,
      secret bytea NOT NULL,
      -- After a rotation both sign until then.
      previous_secret bytea,
      previous_secret_until timestamptz
    );
    CREATE UNIQUE INDEX webhook_receivers_unique ON webhook_receivers (user_id, md5(url));
    CREATE INDEX webhook_receivers_by_encryption_key ON webhook_receivers (substring(secret FROM 2 FOR 4));
    CREATE INDEX webhook_receivers_by_previous_encryption_key ON webhook_receivers (substring(previous_secret FROM 2 FOR 4))
      WHERE previous_secret IS NOT NULL;

    INSERT INTO webhook_receivers (id, user_id, url, secret, previous_secret, previous_secret_until)
    SELECT DISTINCT ON (user_id, split_part(split_part(url, '#', 1), '?', 1))
           id, user_id, split_part(split_part(url, '#', 1), '?', 1), secret, previous_secret, previous_secret_until
    FROM webhooks ORDER BY user_id, split_part(split_part(url, '#', 1), '?', 1), created_at, id;

    ALTER TABLE webhooks ADD COLUMN receiver_id uuid REFERENCES webhook_receivers;
    UPDATE webhooks w SET receiver_id = r.id FROM webhook_receivers r
    WHERE r.user_id = w.user_id AND r.url = split_part(split_part(w.url, '#', 1), '?', 1);
    ALTER TABLE webhooks ALTER COLUMN receiver_id SET NOT NULL;
    ALTER TABLE webhooks DROP COLUMN secret, DROP COLUMN previous_secret, DROP COLUMN previous_secret_until;
    CREATE INDEX webhooks_by_receiver ON webhooks (receiver_id);
  `,
};
