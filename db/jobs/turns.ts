import { ASYNC_COMMIT, type Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { mayStart } from './held-users.ts';

/**
 * The process that accepted a job this young publishes it; the scheduler leaves it alone, or it
 * would be published twice. If that process is gone, the scheduler finds the job a moment later.
 */
export const FRESH_MS = 100;

/**
 * The least that a run counts as, in milliseconds of a slot: without it, a user of jobs that end at
 * once would be served for nothing.
 */
export const LEAST_COST_MS = 100;

/** What a user has on the queue and in slots. */
export interface InFlight {
  /** On the queue and not yet claimed. */
  dispatched: number;
  running: number;
  /** What the running jobs count as so far, in milliseconds of a slot. */
  runningMs: number;
}

/** A user with jobs that wait in Postgres. */
export interface WaitingUser {
  userId: string;
  weight: number;
  /** Jobs that may run at once; null for no limit. */
  limit: number | null;
  /** Milliseconds of slots that ended runs took, per weight. */
  virtualMs: number;
}

/** The current state of the dispatch window. */
export interface WindowState {
  /** Slots of all workers that reported lately. */
  slots: number;
  /** Recent claims per second of the whole fleet. */
  claimsPerSecond: number;
  /** By user. */
  inFlight: Map<string, InFlight>;
  /** Those who may be next; the user with the fewest `virtualMs` first. */
  waiting: WaitingUser[];
}

/**
 * @param turns how many are to be given at most: `waiting` holds all users whom they may go to
 */
export async function readWindow(sql: Sql, turns: number): Promise<WindowState> {
  const [row] = await sql.query<{
    slots: number;
    claims_per_second: number;
    in_flight: (InFlight & { userId: string })[];
    waiting: WaitingUser[];
  }>(READ_WINDOW, [turns]);
  if (!row) throw new Error('read_window returned no row');
  return {
    slots: row.slots,
    claimsPerSecond: row.claims_per_second,
    inFlight: new Map(row.in_flight.map(({ userId, ...counts }) => [userId, counts])),
    waiting: row.waiting,
  };
}

/**
 * A user's next turn comes at `virtual_ms` and what they have in flight. Only users with something
 * in flight come later than the order of `virtual_ms` says, or have reached their limit: so the
 * first `turns` and as many as are in flight include all whom `turns` turns may go to.
 */
const READ_WINDOW = statement(
  'read_window',
  `
  WITH in_flight AS MATERIALIZED (
    SELECT user_id, sum(dispatched)::int AS dispatched, sum(running)::int AS running, sum(running_ms) AS running_ms
    FROM (
      SELECT user_id, count(*) AS dispatched, 0 AS running, 0 AS running_ms
      FROM jobs WHERE status = 'queued' AND dispatched_at IS NOT NULL GROUP BY user_id
      UNION ALL
      SELECT user_id, 0, count(*),
             sum(greatest(${LEAST_COST_MS}, extract(epoch FROM now() - attempt_started_at)::float8 * 1000))
      FROM jobs WHERE status = 'running' GROUP BY user_id
    ) AS by_user
    GROUP BY user_id
  )
  SELECT coalesce(w.slots, 0)::int AS slots, coalesce(w.rate, 0)::float8 AS claims_per_second,
         (SELECT coalesce(json_agg(json_build_object(
                   'userId', user_id, 'dispatched', dispatched, 'running', running, 'runningMs', running_ms)), '[]')
          FROM in_flight) AS in_flight,
         (SELECT coalesce(json_agg(json_build_object(
                   'userId', t.user_id, 'weight', u.fair_share_weight, 'limit', running_limit(u),
                   'virtualMs', t.virtual_ms) ORDER BY t.virtual_ms, t.user_id), '[]')
          FROM (SELECT user_id, virtual_ms FROM turns WHERE waiting AND ${mayStart('user_id')}
                ORDER BY virtual_ms, user_id LIMIT $1::int + (SELECT count(*) FROM in_flight)) AS t
          JOIN users u ON u.id = t.user_id) AS waiting
  FROM (SELECT sum(slots) AS slots, sum(claims_per_second) AS rate
        FROM workers WHERE seen_at > now() - interval '5 s') AS w
  `,
);

/**
 * Part of a statement that makes jobs wait, or ends runs: tells the dispatcher about their users.
 *
 * @param from a CTE with these jobs, with a join or a WHERE if needed
 * @param slotMs how long each had a slot: an SQL expression over its rows
 * @param delayMs not before this time
 */
export const changeTurns = ({
  from,
  slotMs = '0',
  delayMs = 0,
}: {
  from: string;
  slotMs?: string;
  delayMs?: number;
}): string => `
    INSERT INTO turn_changes (user_id, slot_ms, due_at)
    SELECT user_id, sum(${slotMs}), now() + interval '${delayMs} ms' FROM ${from} GROUP BY user_id`;

/** What the run of a row counts as, in milliseconds. */
export const SLOT_MS = `greatest(${LEAST_COST_MS}, extract(epoch FROM now() - attempt_started_at)::float8 * 1000)`;

/**
 * Applies what changed since the last call: who has jobs that wait, and what ended runs took.
 *
 * A user who begins to wait starts where the others are: having been idle gives no credit.
 *
 * @param clockMs where the users who wait are, as `chooseTurns` found; null if none waits or if it is
 *   not known, and then the user who had most counts
 * @returns true if there were changes
 */
export async function applyTurnChanges(sql: Sql, clockMs: number | null): Promise<boolean> {
  const rows = await sql.query(APPLY_TURN_CHANGES, [clockMs]);
  return rows.length > 0;
}

/**
 * Whether the user has jobs that wait is read in the same snapshot as the changes: a job that is
 * not seen here has its own row in `turn_changes`, which is not seen either and stays.
 */
const APPLY_TURN_CHANGES = statement(
  'apply_turn_changes',
  `
  WITH changes AS (
    DELETE FROM turn_changes WHERE due_at <= now() RETURNING user_id, slot_ms
  ), clock AS MATERIALIZED (
    SELECT coalesce($1::float8, (SELECT virtual_ms FROM turns ORDER BY virtual_ms DESC LIMIT 1), 0) AS ms
  ), by_user AS (
    SELECT c.user_id, sum(c.slot_ms) / max(u.fair_share_weight) AS used,
           EXISTS (SELECT FROM jobs j WHERE j.user_id = c.user_id AND j.status = 'queued' AND j.dispatched_at IS NULL) AS waiting
    FROM changes c JOIN users u ON u.id = c.user_id GROUP BY c.user_id
  )
  INSERT INTO turns AS t (user_id, virtual_ms, waiting)
  SELECT user_id, ms + used, waiting FROM by_user, clock, ${ASYNC_COMMIT}
  ON CONFLICT (user_id) DO UPDATE
  SET virtual_ms = CASE WHEN t.waiting OR NOT excluded.waiting THEN t.virtual_ms
                        ELSE greatest(t.virtual_ms, (SELECT ms FROM clock)) END
                   + (excluded.virtual_ms - (SELECT ms FROM clock)),
      waiting = excluded.waiting
  RETURNING user_id
  `,
);

/** Users of whom no job waits any more leave the turns. */
export async function leaveTurns(sql: Sql, userIds: string[]): Promise<void> {
  await sql.query(LEAVE_TURNS, [userIds]);
}

const LEAVE_TURNS = statement(
  'leave_turns',
  `
  UPDATE turns t SET waiting = false FROM unnest($1::uuid[]) AS u (id), ${ASYNC_COMMIT}
  WHERE t.user_id = u.id AND t.waiting
    AND NOT EXISTS (SELECT FROM jobs j WHERE j.user_id = u.id AND j.status = 'queued' AND j.dispatched_at IS NULL)
  `,
);

/** Raises users to the clock. */
export async function raiseTurns(sql: Sql, userIds: string[], clockMs: number): Promise<void> {
  await sql.query(RAISE_TURNS, [userIds, clockMs]);
}

const RAISE_TURNS = statement(
  'raise_turns',
  `
  UPDATE turns t SET virtual_ms = $2 FROM unnest($1::uuid[]) AS u (id), ${ASYNC_COMMIT}
  WHERE t.user_id = u.id AND t.virtual_ms < $2
  `,
);

/**
 * Finds users with waiting jobs who are not in the turns: after a crash of Postgres, and jobs that
 * processes of an earlier version accepted. One probe of the index per user with waiting jobs.
 */
export async function findForgottenTurns(sql: Sql): Promise<void> {
  await sql.query(FIND_FORGOTTEN_TURNS);
}

const FIND_FORGOTTEN_TURNS = statement(
  'find_forgotten_turns',
  `
  WITH RECURSIVE waiting AS (
    (SELECT user_id FROM jobs WHERE status = 'queued' AND dispatched_at IS NULL ORDER BY user_id LIMIT 1)
    UNION ALL
    SELECT (SELECT j.user_id FROM jobs j
            WHERE j.status = 'queued' AND j.dispatched_at IS NULL AND j.user_id > w.user_id ORDER BY j.user_id LIMIT 1)
    FROM waiting w WHERE w.user_id IS NOT NULL
  )
  INSERT INTO turn_changes (user_id, slot_ms, due_at)
  SELECT user_id, 0, now() + interval '${FRESH_MS} ms' FROM waiting w
  WHERE user_id IS NOT NULL AND NOT EXISTS (SELECT FROM turns t WHERE t.user_id = w.user_id AND t.waiting)
  `,
);

/** Removes users who are idle and not ahead of the clock: they would start at the clock anyway. */
export async function pruneTurns(sql: Sql, limit: number): Promise<void> {
  await sql.query(PRUNE_TURNS, [limit]);
}

const PRUNE_TURNS = statement(
  'prune_turns',
  `
  DELETE FROM turns WHERE user_id IN (
    SELECT user_id FROM turns t
    WHERE virtual_ms < (SELECT virtual_ms FROM turns WHERE waiting ORDER BY virtual_ms LIMIT 1)
    ORDER BY virtual_ms LIMIT $1)
    AND NOT waiting
  `,
);
