import type { Sql } from './connect.ts';
import { statement } from './statement.ts';

/** What an `Idempotency-Key` identifies: each user has separate keys per route. */
export interface AnswerKey {
  userId: string;
  route: string;
  key: string;
  bodyHash: string;
}

/**
 * Takes the key in the transaction that creates the resource: of two requests with one key, the
 * second waits for the commit of the first.
 *
 * @returns null if the key is now taken; else the first request and its answer
 */
export async function takeAnswerKey(
  sql: Sql,
  { userId, route, key, bodyHash }: AnswerKey,
): Promise<{ bodyHash: string; answer: string } | null> {
  const taken = await sql.query(TAKE_ANSWER_KEY, [userId, route, key, bodyHash]);
  if (taken.length > 0) return null;
  const [first] = await sql.query<{ bodyHash: string; answer: string }>(FIND_ANSWER, [userId, route, key]);
  if (!first) throw new Error('an idempotency key was taken and is not there');
  return first;
}

const TAKE_ANSWER_KEY = statement(
  'take_answer_key',
  `
  INSERT INTO idempotent_answers (user_id, route, key, body_hash) VALUES ($1, $2, $3, $4)
  ON CONFLICT DO NOTHING RETURNING key
  `,
);

const FIND_ANSWER = statement(
  'find_answer',
  `SELECT body_hash AS "bodyHash", answer FROM idempotent_answers WHERE user_id = $1 AND route = $2 AND key = $3`,
);

/** In the same transaction, so that no key is stored without its answer. */
export async function keepAnswer(sql: Sql, { userId, route, key }: AnswerKey, answer: string): Promise<void> {
  await sql.query(KEEP_ANSWER, [userId, route, key, answer]);
}

const KEEP_ANSWER = statement(
  'keep_answer',
  'UPDATE idempotent_answers SET answer = $4 WHERE user_id = $1 AND route = $2 AND key = $3',
);
