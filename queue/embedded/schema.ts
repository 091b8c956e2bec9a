import type pg from 'pg';
import type { QueueDeclaration, Topology } from '../topology.ts';
import { directExpression, topicExpression } from './topic.ts';

/**
 * Makes the tables of the queue, in a schema of their own, and declares the topology in them. Every process does this when it
 * starts; the lock makes them take turns, because `IF NOT EXISTS` alone fails when two create the same thing at once.
 */
export async function prepareSchema(client: pg.ClientBase, topology: Topology): Promise<void> {
  // Without parameters this is one implicit transaction.
  await client.query(`SELECT pg_advisory_xact_lock(${SCHEMA_LOCK}); ${TABLES}`);
  for (const queue of topology.queues) await storeQueue(client, queue, topology);
}

/** @throws Error for an exchange that is not in the topology */
export async function storeQueue(
  client: { query: pg.ClientBase['query'] },
  queue: QueueDeclaration,
  topology: Topology,
): Promise<void> {
  const bindings = queue.bindings.map(({ exchange, pattern }) => ({
    exchange,
    pattern,
    expression: expressionOf(topology, exchange, pattern),
  }));
  await client.query(
    `WITH stored AS (
       INSERT INTO queue.queues (name, dead_letter) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET dead_letter = excluded.dead_letter
         WHERE queues.dead_letter IS DISTINCT FROM excluded.dead_letter)
     INSERT INTO queue.bindings (queue, exchange, pattern, expression)
     SELECT $1, exchange, pattern, expression
     FROM unnest($3::text[], $4::text[], $5::text[]) AS b (exchange, pattern, expression)
     ON CONFLICT (exchange, pattern, queue) DO NOTHING`,
    [
      queue.name,
      queue.deadLetter ?? null,
      bindings.map(({ exchange }) => exchange),
      bindings.map(({ pattern }) => pattern),
      bindings.map(({ expression }) => expression),
    ],
  );
}

function expressionOf(topology: Topology, exchange: string, pattern: string): string {
  const type = topology.exchanges.find(({ name }) => name === exchange)?.type;
  if (!type) throw new Error(`no exchange ${exchange}`);
  return type === 'direct' ? directExpression(pattern) : topicExpression(pattern);
}

const SCHEMA_LOCK = 7_236_125_009;

/** First half of the advisory lock every session holds for as long as it lives; the second is its id. */
export const SESSION_LOCK = 72_361_251;

/**
 * `holder` is the session whose consumer has the message; free messages have none. Two partial indexes, because a message is
 * in one state or the other and both stay as small as what they answer. Dead entries at the head of a queue are what slows
 * such tables down, hence the eager vacuum.
 */
const TABLES = `
CREATE SCHEMA IF NOT EXISTS queue;
CREATE TABLE IF NOT EXISTS queue.queues (
  name text PRIMARY KEY,
  dead_letter text
);
CREATE TABLE IF NOT EXISTS queue.bindings (
  exchange text NOT NULL,
  pattern text NOT NULL,
  queue text NOT NULL,
  expression text NOT NULL,
  PRIMARY KEY (exchange, pattern, queue)
);
CREATE TABLE IF NOT EXISTS queue.sessions (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  lease_until timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS queue.messages (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  queue text NOT NULL,
  message_id text,
  body text NOT NULL,
  deliveries integer NOT NULL DEFAULT 0,
  holder integer,
  published_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX IF NOT EXISTS messages_free ON queue.messages (queue, id) WHERE holder IS NULL;
CREATE INDEX IF NOT EXISTS messages_held ON queue.messages (holder) WHERE holder IS NOT NULL;
`;
