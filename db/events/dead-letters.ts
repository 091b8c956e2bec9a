import { createHash } from 'node:crypto';
import type { Attempt } from '../../core/jobs/job.ts';
import { PERMANENT_DELIVERY_ERRORS } from '../../core/notifications/delivery.ts';
import type { Sql } from '../connect.ts';
import { REQUEUE_JOBS } from '../jobs/change.ts';
import { ATTEMPTS_OF, type AttemptRow, toAttempt } from '../jobs/read.ts';
import { type KeysetCursor, keyset, keysetValues, pageOf } from '../keyset.ts';
import { REQUEUE_DELIVERIES } from '../notifications/deliveries/read.ts';
import { type Statement, statement } from '../statement.ts';

/** A failed job, an undeliverable notification, or an unreadable message. */
export interface DeadLetter {
  id: string;
  /** Null for a message and for a notification. */
  job_id: string | null;
  /** For a notification that could not be delivered. */
  delivery_id: string | null;
  user_id: string | null;
  /** Where it came from. */
  queue: string;
  /** The job's error, or `unreadable_message` and what is wrong with it. */
  code: string;
  message: string;
  /** The beginning of a message; bytes that are not UTF-8 are replaced. */
  body: string | null;
  attempts: Attempt[];
  created_at: Date;
}

export interface DeadLetterFilter {
  code?: string | undefined;
  user_id?: string | undefined;
  created_after?: string | undefined;
  created_before?: string | undefined;
}

/** The open ones (neither replayed nor discarded), newest first. */
export async function listDeadLetters(
  sql: Sql,
  filter: DeadLetterFilter,
  page: { limit: number; after: KeysetCursor | null },
): Promise<{ deadLetters: DeadLetter[]; next: KeysetCursor | null }> {
  const rows = await sql.query<DeadLetterRow>(LIST_DEAD_LETTERS, [
    ...valuesOf(filter),
    ...keysetValues(page.after),
    page.limit + 1,
  ]);
  const { items, next } = pageOf(rows, page.limit, toDeadLetter);
  return { deadLetters: items, next };
}

export async function findDeadLetter(sql: Sql, id: string): Promise<DeadLetter | null> {
  const [row] = await sql.query<DeadLetterRow>(FIND_DEAD_LETTER, [id]);
  return row ? toDeadLetter(row) : null;
}

/**
 * One; or those that match a filter, oldest first. `permanent`: also jobs and notifications that
 * failed with attempts left, because a further attempt would not have helped.
 */
export type DeadLetterChoice = { id: string } | (DeadLetterFilter & { permanent?: boolean });

/**
 * Runs the chosen failed jobs again, at most `limit`; returns their ids. Messages have nothing to
 * run.
 */
export const requeueDeadLetters = (sql: Sql, choice: DeadLetterChoice, limit: number): Promise<string[]> =>
  again(sql, choice, limit, { one: REQUEUE_DEAD_LETTER, matching: REQUEUE_DEAD_LETTERS });

/** Sends the chosen notifications again, at most `limit`; returns the ids of the deliveries. */
export const resendDeadLetters = (sql: Sql, choice: DeadLetterChoice, limit: number): Promise<string[]> =>
  again(sql, choice, limit, {
    ...{ one: RESEND_DEAD_LETTER, matching: RESEND_DEAD_LETTERS },
    more: [PERMANENT_DELIVERY_ERRORS],
  });

async function again(
  sql: Sql,
  choice: DeadLetterChoice,
  limit: number,
  { one, matching, more = [] }: { one: Statement; matching: Statement; more?: unknown[] },
): Promise<string[]> {
  const rows = await ('id' in choice
    ? sql.query<{ id: string }>(one, [choice.id])
    : sql.query<{ id: string }>(matching, [...valuesOf(choice), limit, choice.permanent === true, ...more]));
  return rows.map(({ id }) => id);
}

/** Closes one for good; its job stays failed. False if none of that id is open. */
export async function discardDeadLetter(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql.query(DISCARD_DEAD_LETTER, [id]);
  return rows.length > 0;
}

/** Keeps a message that its consumer could not read; the same message is kept once. */
export async function deadLetterMessage(
  sql: Sql,
  message: { queue: string; reason: string; body: Buffer },
): Promise<void> {
  const body = message.body.subarray(0, KEPT_BYTES).toString('utf8').replaceAll('\0', '\ufffd');
  const fingerprint = createHash('sha256').update(message.body).digest('hex');
  await sql.query(DEAD_LETTER_MESSAGE, [message.queue, message.reason, body, fingerprint]);
}

const KEPT_BYTES = 16 * 1024;

interface DeadLetterRow extends Omit<DeadLetter, 'attempts'> {
  cursor: string;
  history: AttemptRow[];
}

const toDeadLetter = ({ cursor: _cursor, history, ...row }: DeadLetterRow): DeadLetter => ({
  ...row,
  attempts: history.map(toAttempt),
});

const valuesOf = (filter: DeadLetterFilter) => [
  filter.code ?? null,
  filter.user_id ?? null,
  filter.created_after ?? '-infinity',
  filter.created_before ?? 'infinity',
];

const NEWEST = keyset('d.created_at', 'd.id');

const COLUMNS = `
  d.id, d.job_id, d.delivery_id, d.user_id, d.queue, d.code, d.message, d.body, d.created_at, ${NEWEST.column},
  ${ATTEMPTS_OF('d.job_id')} AS history`;

const MATCHES = `
  d.resolved_at IS NULL AND ($1::text IS NULL OR d.code = $1) AND ($2::uuid IS NULL OR d.user_id = $2)
  AND d.created_at >= $3::timestamptz AND d.created_at < $4::timestamptz`;

const LIST_DEAD_LETTERS = statement(
  'list_dead_letters',
  `
  SELECT ${COLUMNS} FROM dead_letters d
  WHERE ${MATCHES} AND ${NEWEST.behind('$5', '$6')}
  ORDER BY ${NEWEST.order} LIMIT $7
  `,
);

const FIND_DEAD_LETTER = statement(
  'find_dead_letter',
  `SELECT ${COLUMNS} FROM dead_letters d WHERE d.id = $1 AND d.resolved_at IS NULL`,
);

/** `chosen (id)` for what is replayed: those that match, oldest first. */
const chosen = (what: 'job_id' | 'delivery_id', condition: string) => `
  chosen AS (
    SELECT d.${what} AS id FROM dead_letters d
    WHERE ${MATCHES} AND d.${what} IS NOT NULL AND ${condition}
    ORDER BY d.created_at, d.id LIMIT $5 FOR UPDATE SKIP LOCKED
  )`;

/** The same for one; with the filter, the plan would search all open ones for it. */
const chosenOne = (what: 'job_id' | 'delivery_id') => `
  chosen AS (
    SELECT d.${what} AS id FROM dead_letters d
    WHERE d.id = $1 AND d.resolved_at IS NULL AND d.${what} IS NOT NULL
    FOR UPDATE SKIP LOCKED
  )`;

/** True unless it ended with a permanent error; `$6` includes those too. */
const SENDING_MAY_HELP = '($6 OR d.code <> ALL ($7::text[]))';
const RUNNING_MAY_HELP = `($6 OR 'fail' IS DISTINCT FROM (
      SELECT a.outcome FROM attempts a WHERE a.job_id = d.job_id ORDER BY a.started_at DESC LIMIT 1))`;

const REQUEUE_DEAD_LETTERS = statement(
  'requeue_dead_letters',
  `WITH ${chosen('job_id', RUNNING_MAY_HELP)}, ${REQUEUE_JOBS} SELECT id FROM retried`,
);
const REQUEUE_DEAD_LETTER = statement(
  'requeue_dead_letter',
  `WITH ${chosenOne('job_id')}, ${REQUEUE_JOBS} SELECT id FROM retried`,
);
const RESEND_DEAD_LETTERS = statement(
  'resend_dead_letters',
  `WITH ${chosen('delivery_id', SENDING_MAY_HELP)}, ${REQUEUE_DELIVERIES} SELECT id FROM sent`,
);
const RESEND_DEAD_LETTER = statement(
  'resend_dead_letter',
  `WITH ${chosenOne('delivery_id')}, ${REQUEUE_DELIVERIES} SELECT id FROM sent`,
);

const DISCARD_DEAD_LETTER = statement(
  'discard_dead_letter',
  `
  UPDATE dead_letters SET resolved_at = now(), resolution = 'discarded'
  WHERE id = $1 AND resolved_at IS NULL RETURNING id
  `,
);

const DEAD_LETTER_MESSAGE = statement(
  'dead_letter_message',
  `
  INSERT INTO dead_letters (queue, code, message, body, fingerprint) VALUES ($1, 'unreadable_message', $2, $3, $4)
  ON CONFLICT (queue, fingerprint) WHERE resolved_at IS NULL DO NOTHING
  `,
);
