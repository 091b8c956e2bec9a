import type { ClaimedJob, JobSpec } from '../../core/jobs/job.ts';
import { type JobSecrets, withSecrets } from '../../core/jobs/job-secrets.ts';
import type { JobStatus } from '../../core/jobs/job-status.ts';
import { SecretUnreadable } from '../../runtime/secrets/secret-box.ts';
import { ASYNC_COMMIT, type Sql } from '../connect.ts';
import { insertEvents } from '../insert-events.ts';
import { place } from '../secrets/places.ts';
import { statement } from '../statement.ts';
import { mayStart } from './held-users.ts';
import { changeTurns } from './turns.ts';

/** The content of a message: job `id` is ready and had `attempt` attempts so far. */
export interface ClaimRequest {
  id: string;
  attempt: number;
}

export type Claim =
  | { kind: 'claimed'; job: ClaimedJob }
  /**
   * Waits in Postgres again: a more urgent job of its user waits too, its user is disabled, or as
   * many of the user's jobs run as may.
   */
  | { kind: 'yielded' | 'over_limit' }
  /** A duplicate, a cancelled job, or one that another worker holds. */
  | { kind: 'refused' };

/**
 * How often a job that is on the queue yields to more urgent ones of its user at most. Then it
 * runs: neither a stream of urgent jobs nor one whose message was lost holds it back for long.
 */
export const MAX_YIELDS = 3;

/**
 * Claims jobs for one worker; one answer per request, in order. A second claimer finds another
 * attempt or status and gets nothing. Several claims share one statement: 16 slots drain about 3
 * times as much as with one statement each.
 */
export async function claimJobs(
  sql: Sql,
  worker: { id: string; leaseMs: number },
  requests: ClaimRequest[],
): Promise<Claim[]> {
  // Sorted, so that two workers with copies of the same messages lock rows in the same order.
  const sorted = [...requests].sort((a, b) => (a.id < b.id ? -1 : 1));
  const rows = await sql.query<ClaimedRow>(CLAIM_JOBS, [
    sorted.map(({ id }) => id),
    sorted.map(({ attempt }) => attempt),
    worker.id,
    worker.leaseMs,
  ]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return requests.map(({ id }) => {
    const row = byId.get(id);
    if (!row) return { kind: 'refused' };
    // Of two equal requests in one statement, only the first gets the job.
    byId.delete(id);
    return row.kind === 'claimed'
      ? { kind: 'claimed', job: toClaimedJob(sql, row, worker.id) }
      : { kind: row.kind };
  });
}

interface ClaimedRow {
  kind: Claim['kind'] & ('claimed' | 'yielded' | 'over_limit');
  id: string;
  user_id: string;
  attempt: number;
  max_attempts: number;
  snoozes: number;
  is_back: boolean;
  spec: JobSpec;
  secrets: Buffer | null;
  correlation_id: string;
}

const toClaimedJob = (sql: Sql, row: ClaimedRow, workerId: string): ClaimedJob => ({
  id: row.id,
  userId: row.user_id,
  attempt: row.attempt,
  maxAttempts: row.max_attempts,
  snoozes: row.snoozes,
  isResumed: row.is_back,
  workerId,
  ...runnable(sql, row),
  correlationId: row.correlation_id,
});

/** One job whose secrets cannot be read must not fail the claims of others. */
function runnable(sql: Sql, { id, spec, secrets }: ClaimedRow): Pick<ClaimedJob, 'spec' | 'unreadable'> {
  if (secrets === null) return { spec };
  try {
    return { spec: withSecrets(spec, JSON.parse(sql.secrets.open(secrets, place.job(id))) as JobSecrets) };
  } catch (error) {
    if (!(error instanceof SecretUnreadable)) throw error;
    return { spec, unreadable: error };
  }
}

/**
 * Whether a more urgent job of the user of `a` waits in Postgres (`dispatched_at IS NULL`), or on
 * the queue: an index each. Not one of this statement, which is about to start itself.
 */
const moreUrgent = (dispatched: 'IS NULL' | 'IS NOT NULL'): string => `
  EXISTS (SELECT FROM jobs o WHERE o.user_id = a.user_id AND o.status = 'queued' AND o.dispatched_at ${dispatched}
            AND o.priority > a.priority AND o.id <> ALL ($1::uuid[]))`;

/**
 * The queue is first in, first out. Whose turn it is was decided when the job was dispatched; here
 * the order within a user is kept, and the user's limit.
 *
 * A delivery that finds a more urgent job of its user queued returns to Postgres, from where the
 * urgent one is dispatched first. Jobs of other users do not matter: one user's priority never takes
 * another's turn. (Claiming the urgent job instead was rejected: a redelivered message would no
 * longer name the job that its dead worker held.)
 *
 * The limit is exact: claims of one limited user wait for each other. The decision is a CTE of its
 * own that is complete before a job's row is locked: the other order could deadlock.
 *
 * Both count in `yield_count`, which is how a late mark of an earlier dispatch is recognised.
 */
const CLAIM_JOBS = statement(
  'claim_jobs',
  `
  WITH asked AS MATERIALIZED (
    SELECT j.id, j.attempt, j.user_id, j.priority, j.created_at, j.yield_count, running_limit(u) IS NOT NULL AS is_limited
    FROM unnest($1::uuid[], $2::int[]) AS r (id, attempt)
    JOIN jobs j ON j.id = r.id AND j.attempt = r.attempt
    JOIN users u ON u.id = j.user_id
    WHERE j.status = 'queued'
  ), room AS MATERIALIZED (
    SELECT user_id, room FROM room_for_running_jobs(ARRAY(SELECT DISTINCT user_id FROM asked WHERE is_limited))
  ), decided AS MATERIALIZED (
    SELECT a.id, a.attempt,
           CASE WHEN r.room < row_number() OVER (PARTITION BY a.user_id ORDER BY a.priority DESC, a.created_at, a.id)
                THEN 'over_limit'
                WHEN NOT (${mayStart('a.user_id')}) THEN 'yielded'
                WHEN a.yield_count < ${MAX_YIELDS} AND (${moreUrgent('IS NULL')} OR ${moreUrgent('IS NOT NULL')})
                THEN 'yielded' ELSE 'claimed' END AS kind
    FROM asked a LEFT JOIN room r ON r.user_id = a.user_id
  ), claimed AS (
    UPDATE jobs j
    SET status = 'running', attempt = j.attempt + 1, worker_id = $3, attempt_started_at = now(),
        lease_until = now() + $4::float8 * interval '1 ms', started_at = coalesce(j.started_at, now())
    FROM decided d, ${ASYNC_COMMIT}
    WHERE j.id = d.id AND j.attempt = d.attempt AND j.status = 'queued' AND d.kind = 'claimed'
    RETURNING j.id, j.user_id, j.attempt, j.max_attempts, j.snoozes, j.started_at <> now() AS is_back, j.spec, j.secrets,
              j.correlation_id
  ), returned AS (
    UPDATE jobs j SET dispatched_at = NULL, yield_count = j.yield_count + 1
    FROM decided d
    WHERE j.id = d.id AND j.attempt = d.attempt AND j.status = 'queued' AND d.kind <> 'claimed'
    RETURNING j.id, j.user_id, d.kind
  ), turns_changed AS (${changeTurns({ from: 'returned' })}), event AS (${insertEvents({
    ...{ from: 'claimed', type: "'job.started'", jobId: 'id' },
    data: "json_build_object('job_id', id, 'status', 'running', 'attempt', attempt, 'worker', $3::text)",
  })})
  SELECT 'claimed' AS kind, id, user_id, attempt, max_attempts, snoozes, is_back, spec, secrets, correlation_id FROM claimed
  UNION ALL
  SELECT kind, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM returned
  `,
);

export interface Holder {
  status: JobStatus;
  attempt: number;
  maxAttempts: number;
  workerId: string;
  /** Milliseconds since the holder's last heartbeat, by the database's clock. */
  silentMs: number;
  /**
   * The lease as the database writes it: ending this run requires that it was not renewed since.
   */
  leaseUntil: string | null;
}

/** The holder of a job; null if there is no such job. */
export async function findHolder(sql: Sql, id: string, leaseMs: number): Promise<Holder | null> {
  const [row] = await sql.query<Holder>(FIND_HOLDER, [id, leaseMs]);
  return row ?? null;
}

const FIND_HOLDER = statement(
  'find_holder',
  `
  SELECT status, attempt, max_attempts AS "maxAttempts", coalesce(worker_id, '') AS "workerId",
         coalesce($2::float8 - extract(epoch FROM lease_until - now()) * 1000, 0)::float8 AS "silentMs",
         lease_until::text AS "leaseUntil"
  FROM jobs WHERE id = $1
  `,
);

/** Whether there was such a job, and its user deleted it lately. */
export async function wasDeleted(sql: Sql, id: string): Promise<boolean> {
  return (await sql.query(WAS_DELETED, [id])).length > 0;
}

const WAS_DELETED = statement('was_deleted', 'SELECT id FROM deleted_jobs WHERE id = $1');
