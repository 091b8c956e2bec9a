import { ASYNC_COMMIT, type Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/** Outbound connections blocked by the egress policy, by reason. */
export type BlockedRequestCounts = ReadonlyMap<string, number>;

export async function addBlockedRequests(sql: Sql, counts: BlockedRequestCounts): Promise<void> {
  await sql.query(ADD_BLOCKED_REQUESTS, [[...counts.keys()], [...counts.values()]]);
}

/** In one order, or two processes would deadlock on each other's rows. */
const ADD_BLOCKED_REQUESTS = statement(
  'add_refusals',
  `
  INSERT INTO blocked_requests (reason, count)
  SELECT reason, count FROM unnest($1::text[], $2::bigint[]) AS m (reason, count), ${ASYNC_COMMIT} ORDER BY reason
  ON CONFLICT (reason) DO UPDATE SET count = blocked_requests.count + excluded.count
  `,
);

/** Totals of all processes, past ones included. */
export async function readBlockedRequests(sql: Sql): Promise<BlockedRequestCounts> {
  const rows = await sql.query<{ reason: string; count: number }>(READ_BLOCKED_REQUESTS);
  return new Map(rows.map(({ reason, count }) => [reason, count]));
}

const READ_BLOCKED_REQUESTS = statement(
  'read_refusals',
  'SELECT reason, count::float8 AS count FROM blocked_requests',
);
