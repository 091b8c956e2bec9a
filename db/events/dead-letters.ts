import { createHash } from 'node:crypto';
import type { Attempt } from '../../core/jobs/job.ts';
import { type Sql, statement } from '../connect.ts';
import { RUN_AGAIN } from '../jobs/change.ts';
import { ATTEMPTS_OF, type AttemptRow, type JobCursor, toAttempt } from '../jobs/read.ts';
import { SEND_AGAIN } from '../notifications/deliveries/read.ts';

/** A failed job, a notification that could not be delivered, or a message that could not be read. */
export interface DeadLetter {
  id: string;
  /** Null for a message and for a notification. */
  job_id: string | null;
  /** Of a notification that could not be delivered. */
  delivery_id: string | null;
  user_id: string | null;
  /** Where it came from. */
  queue: string;
  /** Why: the job's error, or `unreadable_message` and what is wrong with it. */
  code: string;
  message: string;
  /** Of a message, its beginning; what is not UTF-8 is replaced. */
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

/** Those nobody has replayed or discarded yet, newest first. */
export async function listDeadLetters(
  sql: Sql,
  filter: DeadLetterFilter,
  page: { limit: number; after: JobCursor | null },
): Promise<{ deadLetters: DeadLetter[]; next: JobCursor | null }> {
  const rows = await sql.query<DeadLetterRow>(LIST_DEAD_LETTERS, [
    ...valuesOf(filter),
    page.after?.createdAt ?? 'infinity',
    page.after?.id ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    page.limit + 1,
  ]);
  const last = rows.length > page.limit ? rows[page.limit - 1] : undefined;
  return {
    deadLetters: rows.slice(0, page.limit).map(toDeadLetter),
    next: last ? { createdAt: last.cursor, id: last.id } : null,
  };
}

export async function findDeadLetter(sql: Sql, id: string): Promise<DeadLetter | null> {
  const [row] = await sql.query<DeadLetterRow>(FIND_DEAD_LETTER, [id]);
  return row ? toDeadLetter(row) : null;
}

/** Runs the failed jobs again that match, oldest first, at most `limit`; returns their ids. Messages have nothing to run. */
export async function requeueDeadLetters(
  sql: Sql,
  filter: DeadLetterFilter & { id?: string },
  limit: number,
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(REQUEUE_DEAD_LETTERS, [
    ...valuesOf(filter),
    filter.id ?? null,
    limit,
  ]);
  return rows.map(({ id }) => id);
}

/** Sends the notifications again that match, oldest first, at most `limit`; returns the deliveries' ids. */
export async function resendDeadLetters(
  sql: Sql,
  filter: DeadLetterFilter & { id?: string },
  limit: number,
): Promise<string[]> {
  const values = [...valuesOf(filter), filter.id ?? null, limit];
  const rows = await sql.query<{ id: string }>(RESEND_DEAD_LETTERS, values);
  return rows.map(({ id }) => id);
}

/** Closes one for good; its job stays failed. False where there is none that is open. */
export async function discardDeadLetter(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql.query(DISCARD_DEAD_LETTER, [id]);
  return rows.length > 0;
}

/** Keeps a message that its consumer could not use; the same message is kept once. */
export async function buryMessage(
  sql: Sql,
  message: { queue: string; reason: string; body: Buffer },
): Promise<void> {
  const body = message.body.subarray(0, KEPT_BYTES).toString('utf8').replaceAll('\0', '\ufffd');
  const fingerprint = createHash('sha256').update(message.body).digest('hex');
  await sql.query(BURY_MESSAGE, [message.queue, message.reason, body, fingerprint]);
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

const COLUMNS = `
  d.id, d.job_id, d.delivery_id, d.user_id, d.queue, d.code, d.message, d.body, d.created_at, d.created_at::text AS cursor,
  ${ATTEMPTS_OF('d.job_id')} AS history`;

const MATCHES = `
  d.closed_at IS NULL AND ($1::text IS NULL OR d.code = $1) AND ($2::uuid IS NULL OR d.user_id = $2)
  AND d.created_at >= $3::timestamptz AND d.created_at < $4::timestamptz`;

const LIST_DEAD_LETTERS = statement(
  'list_dead_letters',
  `
  SELECT ${COLUMNS} FROM dead_letters d
  WHERE ${MATCHES} AND (d.created_at, d.id) < ($5::timestamptz, $6::uuid)
  ORDER BY d.created_at DESC, d.id DESC LIMIT $7
  `,
);

const FIND_DEAD_LETTER = statement(
  'find_dead_letter',
  `SELECT ${COLUMNS} FROM dead_letters d WHERE d.id = $1 AND d.closed_at IS NULL`,
);

const REQUEUE_DEAD_LETTERS = statement(
  'requeue_dead_letters',
  `
  WITH chosen AS (
    SELECT d.job_id AS id FROM dead_letters d
    WHERE ${MATCHES} AND ($5::uuid IS NULL OR d.id = $5) AND d.job_id IS NOT NULL
    ORDER BY d.created_at, d.id LIMIT $6 FOR UPDATE SKIP LOCKED
  ),
  ${RUN_AGAIN} SELECT id FROM retried
  `,
);

const RESEND_DEAD_LETTERS = statement(
  'resend_dead_letters',
  `
  WITH chosen AS (
    SELECT d.delivery_id AS id FROM dead_letters d
    WHERE ${MATCHES} AND ($5::uuid IS NULL OR d.id = $5) AND d.delivery_id IS NOT NULL
    ORDER BY d.created_at, d.id LIMIT $6 FOR UPDATE SKIP LOCKED
  ),
  ${SEND_AGAIN} SELECT id FROM sent
  `,
);

const DISCARD_DEAD_LETTER = statement(
  'discard_dead_letter',
  `
  UPDATE dead_letters SET closed_at = now(), closed_as = 'discarded'
  WHERE id = $1 AND closed_at IS NULL RETURNING id
  `,
);

const BURY_MESSAGE = statement(
  'bury_message',
  `
  INSERT INTO dead_letters (queue, code, message, body, fingerprint) VALUES ($1, 'unreadable_message', $2, $3, $4)
  ON CONFLICT (queue, fingerprint) WHERE closed_at IS NULL DO NOTHING
  `,
);
