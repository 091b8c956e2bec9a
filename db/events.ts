import type { DomainEvent } from '../core/events.ts';
import { type Sql, statement } from './connect.ts';

/** A place in the ledger. `xid` and `seq` are decimal text: both may pass what a number can hold. */
export interface EventCursor {
  xid: string;
  seq: string;
}

/** The next events behind a reader's cursor, in commit order; none that an open transaction could still precede. */
export async function readEvents(
  sql: Sql,
  reader: string,
  limit: number,
): Promise<{ events: DomainEvent[]; last: EventCursor | null }> {
  const rows = await sql.query<DomainEvent & EventCursor>(READ_EVENTS, [reader, limit]);
  const last = rows.at(-1);
  return {
    events: rows.map(({ xid: _xid, seq: _seq, ...event }) => event),
    last: last ? { xid: last.xid, seq: last.seq } : null,
  };
}

const READ_EVENTS = statement(
  'read_events',
  `
  SELECT e.xid::text AS xid, e.seq::text AS seq, e.id, e.type, e.version, e.occurred_at, e.user_id, e.job_id,
         e.correlation_id, e.data
  FROM events e, event_cursors c
  WHERE c.reader = $1 AND (e.xid, e.seq) > (c.xid, c.seq) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
  ORDER BY e.xid, e.seq
  LIMIT $2
  `,
);

/** Moves a reader's cursor forward, never back: two relays at once repeat events but skip none. */
export async function advanceCursor(sql: Sql, reader: string, to: EventCursor): Promise<void> {
  await sql.query(ADVANCE_CURSOR, [reader, to.xid, to.seq]);
}

const ADVANCE_CURSOR = statement(
  'advance_cursor',
  `
  UPDATE event_cursors SET xid = $2::xid8, seq = $3::bigint
  WHERE reader = $1 AND (xid, seq) < ($2::xid8, $3::bigint)
  `,
);

/** What a dead letter tells of its job. */
export interface DeadJob {
  id: string;
  user_id: string;
  attempt: number;
  correlation_id: string;
  search: Record<string, unknown>;
}

export const findDeadJobs = (sql: Sql, ids: string[]): Promise<DeadJob[]> =>
  sql.query<DeadJob>(FIND_DEAD_JOBS, [ids]);

const FIND_DEAD_JOBS = statement(
  'find_dead_jobs',
  `
  SELECT id, user_id, attempt, correlation_id,
         json_strip_nulls(json_build_object(
           'industry', spec->'industry', 'geography', spec->'geography', 'keywords', spec->'keywords',
           'source_types', spec->'source_types', 'search_query', spec->'search_query', 'filters', spec->'filters'
         )) AS search
  FROM jobs WHERE id = ANY ($1::uuid[])
  `,
);
