import type { Migration } from './migration.ts';

/**
 * The queue of an installation without RabbitMQ, in a schema of its own; see queue/embedded/. With RabbitMQ it stays empty.
 *
 * `holder` is the session whose consumer has the message; free messages have none. Two partial indexes, because a message is
 * in one state or the other and both stay as small as what they answer. Dead entries at the head of a queue are what slows
 * such tables down, hence the eager vacuum.
 */
export const embeddedQueue: Migration = {
  name: '0011-embedded-queue',
  sql: `
    CREATE SCHEMA queue;
    CREATE TABLE queue.queues (
      name text PRIMARY KEY,
      dead_letter text
    );
    CREATE TABLE queue.bindings (
      exchange text NOT NULL,
      pattern text NOT NULL,
      queue text NOT NULL,
      expression text NOT NULL,
      PRIMARY KEY (exchange, pattern, queue)
    );
    CREATE TABLE queue.sessions (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      lease_until timestamptz NOT NULL
    );
    CREATE TABLE queue.messages (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      queue text NOT NULL,
      message_id text,
      body text NOT NULL,
      deliveries integer NOT NULL DEFAULT 0,
      holder integer,
      published_at timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
            autovacuum_vacuum_cost_delay = 0);
    CREATE INDEX messages_free ON queue.messages (queue, id) WHERE holder IS NULL;
    CREATE INDEX messages_held ON queue.messages (holder) WHERE holder IS NOT NULL;
  `,
};
