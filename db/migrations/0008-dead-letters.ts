import type { Migration } from './migration.ts';

/**
 * Jobs that failed, notifications that could not be delivered and messages that could not be read. Written in the
 * transaction that fails the job or delivery, so each of those has one that is open until it is requeued or discarded.
 */
export const deadLetters: Migration = {
  name: '0008-dead-letters',
  sql: `
    CREATE TABLE dead_letters (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      job_id uuid REFERENCES jobs ON DELETE CASCADE,
      delivery_id uuid REFERENCES deliveries ON DELETE CASCADE,
      user_id uuid,
      queue text NOT NULL,
      code text NOT NULL,
      message text NOT NULL,
      body text,
      fingerprint text,
      created_at timestamptz NOT NULL DEFAULT now(),
      resolved_at timestamptz,
      resolution text CHECK (resolution IN ('requeued', 'discarded'))
    );
    CREATE INDEX dead_letters_open ON dead_letters (created_at DESC, id DESC) WHERE resolved_at IS NULL;
    -- A message whose rejection was lost is dead-lettered again.
    CREATE UNIQUE INDEX dead_letters_unique ON dead_letters (queue, fingerprint) WHERE resolved_at IS NULL;
    CREATE INDEX dead_letters_by_job ON dead_letters (job_id) WHERE job_id IS NOT NULL;
    CREATE INDEX dead_letters_by_delivery ON dead_letters (delivery_id) WHERE delivery_id IS NOT NULL;
  `,
};
