import type { JobStatus } from '../../core/jobs/job-status.ts';
import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { countUnfinishedForUser } from '../statistics.ts';
import { countUnfinished } from './read.ts';

/** A worker that reported lately. */
export interface Worker {
  id: string;
  slots: number;
  started_at: Date;
  last_heartbeat_at: Date;
  /** Of its browser: `on`, or why it is off; null if it is not known. */
  sandbox: string | null;
  current_jobs: { job_id: string; attempt: number; started_at: Date }[];
}

/** Live workers, and those that have been silent for a short while. */
export const listWorkers = (sql: Sql): Promise<Worker[]> => sql.query<Worker>(LIST_WORKERS);

const LIST_WORKERS = statement(
  'list_workers',
  `
  SELECT w.id, w.slots, w.started_at, w.seen_at AS last_heartbeat_at, w.sandbox,
         coalesce((
           SELECT json_agg(json_build_object('job_id', j.id, 'attempt', j.attempt, 'started_at', j.attempt_started_at)
                           ORDER BY j.attempt_started_at)
           FROM jobs j WHERE j.status = 'running' AND j.worker_id = w.id), '[]') AS current_jobs
  FROM workers w WHERE w.seen_at > now() - interval '1 minute'
  ORDER BY w.started_at, w.id LIMIT 1000
  `,
);

export interface QueueState {
  counts: Map<JobStatus, number>;
  /** The job that has waited longest for a worker. */
  oldest: { job_id: string; created_at: Date; waiting_seconds: number } | null;
  workers: { workers: number; slots: number };
}

/** Of one user, or of all if `userId` is null. */
export async function readQueueState(sql: Sql, userId: string | null): Promise<QueueState> {
  const [counts, [oldest], [workers]] = await Promise.all([
    userId === null ? countUnfinished(sql) : countUnfinishedForUser(sql, userId),
    sql.query<NonNullable<QueueState['oldest']>>(
      userId === null ? OLDEST_WAITING : OLDEST_WAITING_OF,
      userId === null ? [] : [userId],
    ),
    sql.query<QueueState['workers']>(COUNT_WORKERS),
  ]);
  return { counts, oldest: oldest ?? null, workers: workers ?? { workers: 0, slots: 0 } };
}

const oldestWaiting = (name: string, condition: string) =>
  statement(
    name,
    `
    SELECT id AS job_id, created_at, floor(extract(epoch FROM now() - greatest(created_at, run_at)))::int AS waiting_seconds
    FROM jobs WHERE status = 'queued' ${condition} ORDER BY created_at, id LIMIT 1
    `,
  );
const OLDEST_WAITING = oldestWaiting('oldest_waiting', '');
const OLDEST_WAITING_OF = oldestWaiting('oldest_waiting_of', 'AND user_id = $1');

const COUNT_WORKERS = statement(
  'count_workers',
  `SELECT count(*)::int AS workers, coalesce(sum(slots), 0)::int AS slots FROM workers WHERE seen_at > now() - interval '5 s'`,
);

export interface FleetHealth {
  workers: number;
  /** Workers whose browser runs without its sandbox. */
  not_sandboxed: number;
  /** Why, of one of them. */
  reason: string | null;
}

/** Of the workers that are alive now. */
export async function readFleetHealth(sql: Sql): Promise<FleetHealth> {
  const [health] = await sql.query<FleetHealth>(FLEET_HEALTH);
  return health ?? { workers: 0, not_sandboxed: 0, reason: null };
}

const FLEET_HEALTH = statement(
  'fleet_health',
  `
  SELECT count(*)::int AS workers,
         count(*) FILTER (WHERE sandbox <> 'on')::int AS not_sandboxed,
         max(sandbox) FILTER (WHERE sandbox <> 'on') AS reason
  FROM workers WHERE seen_at > now() - interval '5 s'
  `,
);
