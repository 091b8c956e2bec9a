import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/** The fleet's copy of an origin's robots.txt. */
export type StoredRobots =
  | { kind: 'known'; body: Buffer | null; freshMs: number }
  /** It could not be read, for a transient reason. Nothing of the origin is fetched meanwhile. */
  | { kind: 'unreachable'; errorCode: string; freshMs: number }
  /** The copy is missing or stale, and this caller now holds the fetch lock. */
  | { kind: 'read_it' }
  /** Another process fetches it now. */
  | { kind: 'being_read' };

/** The result of fetching it. */
export type RobotsResult =
  | { kind: 'rules'; body: Buffer }
  /** There is none: everything is allowed. */
  | { kind: 'none' }
  | { kind: 'unreachable'; errorCode: string };

/** The known rules, or the fetch lock: of all concurrent callers, one fetches. */
export async function findRobots(sql: Sql, origin: string): Promise<StoredRobots> {
  const [row] = await sql.query<RobotsRow>(FIND_ROBOTS, [origin]);
  if (row && row.freshMs > 0) {
    if (row.allowed) return { kind: 'known', body: row.body, freshMs: row.freshMs };
    return { kind: 'unreachable', errorCode: row.errorCode ?? '', freshMs: row.freshMs };
  }
  const claimed = await sql.query(CLAIM_READING, [origin, READING_MS]);
  return { kind: claimed.length > 0 ? 'read_it' : 'being_read' };
}

/** Longer than a fetch may take. */
const READING_MS = 20_000;

interface RobotsRow {
  body: Buffer | null;
  allowed: boolean;
  errorCode: string | null;
  freshMs: number;
}

/**
 * Earlier rules hold while the file cannot be read; a file that could not be read for 30 days is
 * treated as absent (RFC 9309, 2.3.1.4).
 */
const FIND_ROBOTS = statement(
  'find_robots',
  `
  SELECT body, error_code AS "errorCode",
         error_code IS NULL OR has_rules OR unreachable_since < now() - interval '30 days' AS allowed,
         (extract(epoch FROM fresh_until - now()) * 1000)::float8 AS "freshMs"
  FROM robots WHERE origin = $1
  `,
);

const CLAIM_READING = statement(
  'claim_robots_reading',
  `
  INSERT INTO robots (origin, fetch_lock_until) VALUES ($1, now() + $2::float8 * interval '1 ms')
  ON CONFLICT (origin) DO UPDATE SET fetch_lock_until = excluded.fetch_lock_until
  WHERE robots.fetch_lock_until < now() AND robots.fresh_until < now()
  RETURNING origin
  `,
);

/** Stores the result for the whole fleet, for this long. */
export async function storeRobots(
  sql: Sql,
  origin: string,
  reading: RobotsResult,
  freshMs: number,
): Promise<void> {
  if (reading.kind === 'unreachable') {
    await sql.query(STORE_UNREACHABLE, [origin, reading.errorCode, freshMs]);
  } else {
    const body = reading.kind === 'rules' ? reading.body : null;
    await sql.query(STORE_ROBOTS, [origin, body, freshMs]);
  }
}

const STORE_ROBOTS = statement(
  'store_robots',
  `
  UPDATE robots SET body = $2, has_rules = $2::bytea IS NOT NULL, error_code = NULL, unreachable_since = NULL,
                    fresh_until = now() + $3::float8 * interval '1 ms', fetch_lock_until = to_timestamp(0)
  WHERE origin = $1
  `,
);

const STORE_UNREACHABLE = statement(
  'store_robots_unreachable',
  `
  UPDATE robots SET error_code = $2, unreachable_since = coalesce(unreachable_since, now()),
                    fresh_until = now() + $3::float8 * interval '1 ms', fetch_lock_until = to_timestamp(0)
  WHERE origin = $1
  `,
);

/** Releases the fetch lock unused. */
export async function releaseRobotsLock(sql: Sql, origin: string): Promise<void> {
  await sql.query(LEAVE_UNREAD, [origin]);
}

const LEAVE_UNREAD = statement(
  'leave_robots_unread',
  'UPDATE robots SET fetch_lock_until = to_timestamp(0) WHERE origin = $1',
);
