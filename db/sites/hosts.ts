import { ASYNC_COMMIT, type Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/** All requests of one process to a host's limiter, batched. */
export interface HostRequest {
  host: string;
  /** Permits wanted, by ids the caller chooses; those of resumed jobs first. */
  ids: string[];
  /**
   * How many of `ids`, from the first, belong to resumed jobs. The others join the end of the
   * queue.
   */
  resumed: number;
  /** Permits given back. */
  released: string[];
  /** Permits still needed. */
  renewed: string[];
  /** How long the host asked for a pause; 0 if it did not. */
  pauseMs: number;
  /** Minimum gap between two starts. */
  gapMs: number;
}

export interface HostAnswer {
  /** How many of `ids`, from the first, have their permit. */
  granted: number;
  /** When the first of them may start; each further one `gapMs` later. */
  startMs: number;
  /** How long the host is closed to all; 0 if only its permits are taken. */
  closedMs: number;
  /** Resumed jobs wait for this host; they go before new ones. */
  hasQueue: boolean;
}

export interface HostLimits {
  /** Concurrent permits of a host. */
  maxPermits: number;
  /** A start further ahead than this is not granted: the slot runs something else meanwhile. */
  maxWaitMs: number;
  /** A permit that is neither renewed nor given back expires after this. */
  leaseMs: number;
}

/** Gives back, renews and takes permits: one answer per request, in order; each host once. */
export async function syncPermits(
  sql: Sql,
  limits: HostLimits,
  requests: HostRequest[],
): Promise<HostAnswer[]> {
  const sync = (asked: HostRequest[]) =>
    sql.query<HostAnswer & { host: string }>(SYNC_PERMITS, [
      JSON.stringify(
        asked.map(({ resumed, pauseMs, gapMs, ...request }) => ({
          ...{ ...request, back: resumed, pause_ms: pauseMs, gap_ms: gapMs },
        })),
      ),
      limits.maxPermits,
      limits.maxWaitMs,
      limits.leaseMs,
    ]);
  const byHost = new Map((await sync(requests)).map((row) => [row.host, row]));
  // Only these: a request that has its permit must not be counted twice.
  const added = requests.filter(({ host }) => !byHost.has(host));
  if (added.length > 0) {
    await sql.query(ADD_HOSTS, [added.map(({ host }) => host)]);
    for (const row of await sync(added)) byHost.set(row.host, row);
  }
  return requests.map(({ host }) => {
    const row = byHost.get(host);
    if (!row) throw new Error(`sync_permits gave no answer for ${host}`);
    const { granted, startMs, closedMs, hasQueue } = row;
    return { granted, startMs, closedMs, hasQueue };
  });
}

const ADD_HOSTS = statement(
  'add_hosts',
  'INSERT INTO hosts (host) SELECT h FROM unnest($1::text[]) AS h ORDER BY h ON CONFLICT DO NOTHING',
);

/**
 * At most one statement per page: it gives back the permit of the page before and takes the next.
 * First the locks, in the order of the names, and only then the clock: after waiting for a lock,
 * the decision uses the current row and the current time. The commit does not wait for the disk: a
 * crash of Postgres undoes only permits, and their holders are gone with it.
 */
const SYNC_PERMITS = statement(
  'sync_permits',
  `
  WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::json)
      AS a (host text, ids text[], back int, released text[], renewed text[], pause_ms float8, gap_ms float8)
  ), locked AS MATERIALIZED (
    SELECT h.* FROM asked a JOIN hosts h ON h.host = a.host ORDER BY h.host FOR UPDATE OF h
  ), clock AS MATERIALIZED (
    SELECT clock_timestamp() AS now FROM (SELECT count(*) FROM locked) AS once_locked
  ), present AS MATERIALIZED (
    SELECT l.host, a.ids, a.gap_ms, c.now, p.paused_until, greatest(l.next_start_at, p.paused_until, c.now) AS start_at, l.next_start_at,
           held.permits, held.count,
           l.queue_until > c.now + $3::float8 * interval '1 ms' AS has_line,
           CASE WHEN l.queue_until > c.now + $3::float8 * interval '1 ms' THEN a.back ELSE cardinality(a.ids) END AS entitled,
           to_jsonb(round(extract(epoch FROM c.now) * 1000 + $3::float8 + $4::float8)) AS lease_end
    FROM locked l JOIN asked a ON a.host = l.host CROSS JOIN clock c
    CROSS JOIN LATERAL (SELECT CASE WHEN a.pause_ms > 0 THEN greatest(l.paused_until, c.now + a.pause_ms * interval '1 ms')
                                    ELSE l.paused_until END AS paused_until) AS p
    CROSS JOIN LATERAL (
      SELECT coalesce(jsonb_object_agg(key, CASE WHEN key = ANY (a.renewed)
               THEN to_jsonb(round(extract(epoch FROM c.now) * 1000 + $4::float8)) ELSE value END), '{}') AS permits, count(*)
      FROM jsonb_each(l.permits)
      WHERE value::float8 > extract(epoch FROM c.now) * 1000 AND key <> ALL (a.released)) AS held
  ), decided AS MATERIALIZED (
    SELECT *, extract(epoch FROM start_at - now) * 1000 AS start_ms,
           greatest(0, least(entitled, $2::int - count, CASE
             WHEN start_at > now + $3::float8 * interval '1 ms' THEN 0
             WHEN gap_ms > 0 THEN floor(($3::float8 - extract(epoch FROM start_at - now) * 1000) / gap_ms) + 1
             ELSE entitled END))::int AS granted
    FROM present
  ), written AS (
    UPDATE hosts h
    SET permits = d.permits || (SELECT coalesce(jsonb_object_agg(id, d.lease_end), '{}') FROM unnest(d.ids[:d.granted]) AS id),
        next_start_at = CASE WHEN d.granted > 0 THEN d.start_at + d.granted * d.gap_ms * interval '1 ms' ELSE d.next_start_at END,
        paused_until = d.paused_until, used_at = CASE WHEN h.used_at < d.now - interval '1 hour' THEN d.now ELSE h.used_at END
    FROM decided d, ${ASYNC_COMMIT} WHERE h.host = d.host
  )
  SELECT host, granted, start_ms::float8 AS "startMs",
         CASE WHEN granted < cardinality(ids) THEN (start_ms + granted * gap_ms)::float8 ELSE 0 END AS "closedMs",
         has_line AS "hasQueue"
  FROM decided
  `,
);

/**
 * Joins the host's queue: a job that would wait for long is snoozed until then. Each waiting job
 * gets a later start time, so that they do not all come back at once.
 *
 * @returns in how many milliseconds to come back
 */
export async function joinQueue(sql: Sql, host: string, gapMs: number): Promise<number> {
  const [row] = await sql.query<{ ms: number }>(JOIN_QUEUE, [host, Math.max(gapMs, QUEUE_STEP_MS), QUEUE_MS]);
  return row?.ms ?? QUEUE_STEP_MS;
}

/**
 * Assumed speed of a queue without a configured gap. If it is too fast, some jobs have to rejoin.
 */
const QUEUE_STEP_MS = 50;
/** The longest snooze: jobs ahead may be cancelled or finish sooner. */
const QUEUE_MS = 5 * 60_000;

const JOIN_QUEUE = statement(
  'join_queue',
  `
  UPDATE hosts h SET queue_until = least(
    greatest(queue_until, next_start_at, paused_until, now()) + $2::float8 * interval '1 ms',
    greatest(next_start_at, paused_until, now()) + $3::float8 * interval '1 ms')
  FROM ${ASYNC_COMMIT} WHERE host = $1
  RETURNING (extract(epoch FROM queue_until - now()) * 1000)::float8 AS ms
  `,
);
