import type { AuditAction, AuditTargetKind } from '../../core/accounts/audit.ts';
import type { Deletion, DeletionCounts, DeletionKind } from '../../core/deletions/deletion.ts';
import { type RequestActor, writeAudit } from '../accounts/audit.ts';
import type { Sql } from '../connect.ts';
import { type KeysetCursor, keyset, keysetValues, pageOf } from '../keyset.ts';
import { statement } from '../statement.ts';

/** Records of deletions: what is requested, how far each is, and what it removed. */

/** How the audit log calls each, and what it is about. */
const AUDITED = {
  jobs: ['job.deleted', 'job'],
  leads: ['lead.deleted', 'lead'],
  erasure: ['lead.erased', 'lead'],
  user: ['user.deleted', 'user'],
} as const satisfies Record<DeletionKind, [AuditAction, AuditTargetKind]>;

/** Called in a transaction: with the deletion, its entry in the audit log is stored. */
export async function createDeletion(
  sql: Sql,
  deletion: {
    kind: DeletionKind;
    userId: string | null;
    actor: RequestActor;
    jobId?: string;
    request?: unknown;
    planned: DeletionCounts;
  },
): Promise<Deletion> {
  const [row] = await sql.query<DeletionRow>(CREATE_DELETION, [
    ...[deletion.kind, deletion.userId, deletion.actor.userId, deletion.jobId ?? null],
    ...[JSON.stringify(deletion.request ?? {}), JSON.stringify(deletion.planned)],
  ]);
  if (!row) throw new Error('create_deletion returned no row');
  const { kind, userId, jobId = null, actor } = deletion;
  const [action, target] = AUDITED[kind];
  await writeAudit(sql, actor, {
    action,
    target: { kind: target, id: kind === 'user' ? userId : jobId, userId },
    details: { deletion_id: row.id },
  });
  return toDeletion(row);
}

const NEWEST = keyset('created_at', 'id');
const COLUMNS = `
  id, kind, user_id, requested_by, job_id, planned, removed, created_at, started_at, finished_at, ${NEWEST.column}`;

interface DeletionRow extends Omit<Deletion, 'deletion_id' | 'state'> {
  id: string;
  cursor: string;
}

const toDeletion = ({ id, kind, cursor: _, ...row }: DeletionRow): Deletion => ({
  ...{ deletion_id: id, kind, state: row.finished_at === null ? 'running' : 'completed' },
  ...row,
});

const CREATE_DELETION = statement(
  'create_deletion',
  `
  INSERT INTO deletions (kind, user_id, requested_by, job_id, request, planned)
  VALUES ($1, $2, $3, $4, $5::json, $6::jsonb)
  RETURNING ${COLUMNS}
  `,
);

/** @param requestedBy null: whoever requested it */
export async function findDeletion(
  sql: Sql,
  id: string,
  requestedBy: string | null,
): Promise<Deletion | null> {
  const [row] = await sql.query<DeletionRow>(FIND_DELETION, [id, requestedBy]);
  return row ? toDeletion(row) : null;
}

const FIND_DELETION = statement(
  'find_deletion',
  `SELECT ${COLUMNS} FROM deletions WHERE id = $1 AND ($2::uuid IS NULL OR requested_by = $2)`,
);

/** The deletion of one job by a request for that job alone. */
export async function findDeletionOfJob(sql: Sql, jobId: string): Promise<Deletion | null> {
  const [row] = await sql.query<DeletionRow>(FIND_DELETION_OF_JOB, [jobId]);
  return row ? toDeletion(row) : null;
}

const FIND_DELETION_OF_JOB = statement(
  'find_deletion_of_job',
  `SELECT ${COLUMNS} FROM deletions WHERE job_id = $1`,
);

/** Newest first; of all users if `requestedBy` is null. */
export async function listDeletions(
  sql: Sql,
  { requestedBy, limit, after }: { requestedBy: string | null; limit: number; after: KeysetCursor | null },
): Promise<{ deletions: Deletion[]; next: KeysetCursor | null }> {
  const values = [limit + 1, ...keysetValues(after)];
  const rows = await (requestedBy === null
    ? sql.query<DeletionRow>(LIST_DELETIONS, values)
    : sql.query<DeletionRow>(LIST_DELETIONS_OF, [...values, requestedBy]));
  const { items, next } = pageOf(rows, limit, toDeletion);
  return { deletions: items, next };
}

const listWhere = (condition: string) => `
  SELECT ${COLUMNS} FROM deletions WHERE ${NEWEST.behind('$2', '$3')} ${condition} ORDER BY ${NEWEST.order} LIMIT $1`;
const LIST_DELETIONS = statement('list_deletions', listWhere(''));
const LIST_DELETIONS_OF = statement('list_deletions_of', listWhere('AND requested_by = $4'));

/** A deletion that is not finished, with what the work needs. */
export interface OpenDeletion {
  id: string;
  kind: DeletionKind;
  user_id: string | null;
  job_id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: written by this program, by kind
  request: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above; null at the beginning
  progress: any;
  created_at: Date;
}

/** Oldest first. */
export const listOpenDeletions = (sql: Sql, limit: number): Promise<OpenDeletion[]> =>
  sql.query<OpenDeletion>(LIST_OPEN_DELETIONS, [limit]);

const LIST_OPEN_DELETIONS = statement(
  'list_open_deletions',
  `
  SELECT id, kind, user_id, job_id, request, progress, created_at FROM deletions
  WHERE finished_at IS NULL ORDER BY created_at, id LIMIT $1
  `,
);

/** Moves the place where the work continues, and adds what was counted up to there. */
export async function saveProgress(
  sql: Sql,
  id: string,
  progress: unknown,
  counts: DeletionCounts = {},
): Promise<void> {
  await sql.query(SAVE_PROGRESS, [id, JSON.stringify(progress), JSON.stringify(counts)]);
}

const SAVE_PROGRESS = statement(
  'save_deletion_progress',
  `
  UPDATE deletions SET started_at = coalesce(started_at, now()), progress = $2::json,
    removed = removed || (
      SELECT coalesce(jsonb_object_agg(key, coalesce((removed->>key)::bigint, 0) + value::bigint), '{}')
      FROM jsonb_each_text($3::jsonb))
  WHERE id = $1 AND finished_at IS NULL
  `,
);

/** What was to be removed is forgotten; the counts stay. */
export async function finishDeletion(sql: Sql, id: string): Promise<void> {
  await sql.query(FINISH_DELETION, [id]);
}

const FINISH_DELETION = statement(
  'finish_deletion',
  `
  UPDATE deletions SET finished_at = now(), started_at = coalesce(started_at, now()), request = NULL, progress = NULL
  WHERE id = $1 AND finished_at IS NULL
  `,
);

/**
 * A CTE that adds the rows of `gone` to the counts of deletion `$1`, in the statement that removes
 * them: they are counted exactly once, whenever the process dies.
 */
export const countGone = (kind: string, gone = 'gone'): string => `
  counted AS (
    UPDATE deletions SET started_at = coalesce(started_at, now()), removed = removed || jsonb_build_object(
      '${kind}', coalesce((removed->>'${kind}')::bigint, 0) + (SELECT count(*) FROM ${gone}))
    WHERE id = $1 AND EXISTS (SELECT FROM ${gone})
  )`;
