/** Every statement of this driver, prepared once per connection under its `name`. */
interface Statement {
  name: string;
  text: string;
}

/**
 * Stores a batch of messages, one row per queue that takes them. Returns these queues, and the
 * numbers (from 1) of the messages that no queue takes. Routing happens here and not in a cache, so
 * that a queue declared by another process counts at once; the default exchange, which carries
 * nearly all messages, is a lookup by primary key.
 * $1 exchanges, $2 routing keys, $3 message ids, $4 bodies
 */
export const STORE: Statement = {
  name: 'queue_store',
  text: `
WITH incoming AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
    WITH ORDINALITY AS m (exchange, routing_key, message_id, body, number)
), routed AS MATERIALIZED (
  SELECT number, queues.name AS queue
  FROM incoming JOIN queue.queues ON exchange = '' AND queues.name = routing_key
  UNION
  SELECT number, bindings.queue
  FROM incoming JOIN queue.bindings USING (exchange)
  WHERE (routing_key || '.') ~ bindings.expression
), stored AS (
  INSERT INTO queue.messages (queue, message_id, body)
  SELECT routed.queue, message_id, body FROM routed JOIN incoming USING (number) ORDER BY number
)
SELECT DISTINCT queue, NULL::int AS number FROM routed
UNION ALL
SELECT NULL, number::int FROM incoming WHERE number NOT IN (SELECT routed.number FROM routed)`,
};

/**
 * Takes the oldest free messages of several queues, up to a number per queue. MATERIALIZED and FOR
 * UPDATE keep the planner from running the inner query twice, which would take too many.
 * $1 session, $2 queues, $3 how many of each
 */
export const TAKE: Statement = {
  name: 'queue_take',
  text: `
WITH picked AS MATERIALIZED (
  SELECT free.id
  FROM unnest($2::text[], $3::int[]) AS wanted (queue, places),
  LATERAL (
    SELECT id FROM queue.messages
    WHERE messages.queue = wanted.queue AND holder IS NULL
    ORDER BY id LIMIT wanted.places
    FOR UPDATE SKIP LOCKED) AS free
)
UPDATE queue.messages SET holder = $1, deliveries = deliveries + 1
FROM picked WHERE messages.id = picked.id
RETURNING messages.id, queue, body, deliveries`,
};

/**
 * `holder = $1`, here and below, is the fence: a session that lost a message cannot change it.
 * $2 ids
 */
export const ACKNOWLEDGE: Statement = {
  name: 'queue_acknowledge',
  text: 'DELETE FROM queue.messages WHERE id = ANY($2::bigint[]) AND holder = $1',
};

/** $2 ids, $3 subtracted from the count of deliveries: 1 for messages that no handler has seen */
export const REQUEUE: Statement = {
  name: 'queue_requeue',
  text: `UPDATE queue.messages SET holder = NULL, deliveries = deliveries - $3
WHERE id = ANY($2::bigint[]) AND holder = $1`,
};

/** Moves to the queue's dead letters; deletes if it has none, as RabbitMQ does. $2 ids */
export const DEAD_LETTER: Statement = {
  name: 'queue_dead_letter',
  text: `
WITH dead AS (
  SELECT id, queues.dead_letter
  FROM queue.messages JOIN queue.queues ON queues.name = messages.queue
  WHERE id = ANY($2::bigint[]) AND holder = $1
), moved AS (
  UPDATE queue.messages SET queue = dead.dead_letter, holder = NULL, deliveries = 0
  FROM dead WHERE messages.id = dead.id AND dead.dead_letter IS NOT NULL
)
DELETE FROM queue.messages USING dead WHERE messages.id = dead.id AND dead.dead_letter IS NULL`,
};

/**
 * Registers a session and takes its advisory lock in the same statement: others see the row once it
 * is committed, so never without its lock. $1 lock class, $2 lease in ms
 */
export const REGISTER: Statement = {
  name: 'queue_register',
  text: `
WITH registered AS (
  INSERT INTO queue.sessions (lease_until) VALUES (now() + $2 * interval '1 ms') RETURNING id
)
SELECT id, pg_advisory_lock($1, id) FROM registered`,
};

/** $1 session, $2 lease in ms */
export const RENEW: Statement = {
  name: 'queue_renew',
  text: `UPDATE queue.sessions SET lease_until = now() + $2 * interval '1 ms' WHERE id = $1`,
};

/**
 * Deletes dead sessions. Postgres drops an advisory lock with the connection that held it, so a
 * free lock means a killed process, seen within a second; the lease covers machines that vanish
 * without closing their connections.
 * $1 own session, $2 lock class
 */
export const FORGET_DEAD_SESSIONS: Statement = {
  name: 'queue_forget_dead_sessions',
  text: `DELETE FROM queue.sessions
WHERE id <> $1 AND (lease_until < now() OR pg_try_advisory_xact_lock($2, id))`,
};

/** Frees the messages of deleted sessions, and returns their queues with the count. */
export const FREE_LOST: Statement = {
  name: 'queue_free_lost',
  text: `
WITH freed AS (
  UPDATE queue.messages SET holder = NULL
  WHERE holder IS NOT NULL AND NOT EXISTS (SELECT FROM queue.sessions WHERE sessions.id = holder)
  RETURNING queue
)
SELECT queue, count(*)::int AS messages FROM freed GROUP BY queue`,
};

/** $1 session */
export const RELEASE: Statement = {
  name: 'queue_release',
  text: `
WITH ended AS (DELETE FROM queue.sessions WHERE id = $1)
UPDATE queue.messages SET holder = NULL WHERE holder = $1`,
};

/** $1 queue, $2 its dead-letter queue, $3 exchanges, $4 patterns, $5 their regular expressions */
export const DECLARE_QUEUE: Statement = {
  name: 'queue_declare',
  text: `
WITH declared AS (
  INSERT INTO queue.queues (name, dead_letter) VALUES ($1, $2)
  ON CONFLICT (name) DO UPDATE SET dead_letter = excluded.dead_letter
    WHERE queues.dead_letter IS DISTINCT FROM excluded.dead_letter
)
INSERT INTO queue.bindings (queue, exchange, pattern, expression)
SELECT $1, exchange, pattern, expression
FROM unnest($3::text[], $4::text[], $5::text[]) AS b (exchange, pattern, expression)
ON CONFLICT (exchange, pattern, queue) DO NOTHING`,
};

/** $1 queue */
export const COUNT_FREE: Statement = {
  name: 'queue_count_free',
  text: `
SELECT (SELECT count(*)::int FROM queue.messages WHERE queue = name AND holder IS NULL) AS messages
FROM queue.queues WHERE name = $1`,
};

/** $1 queue */
export const PURGE: Statement = {
  name: 'queue_purge',
  text: 'DELETE FROM queue.messages WHERE queue = $1 AND holder IS NULL',
};

export const HINT_CHANNEL = 'leadengine_queue';

/** $1 queues that received messages */
export const HINT: Statement = {
  name: 'queue_hint',
  text: `SELECT pg_notify('${HINT_CHANNEL}', queue) FROM unnest($1::text[]) AS queue`,
};

/** First half of the advisory lock that each session holds while it lives; the second is its id. */
export const SESSION_LOCK = 72_361_251;
