import { ASYNC_COMMIT, type Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/** Connections that the egress guard did not allow, by its reason. */
export type RefusalCounts = ReadonlyMap<string, number>;

export async function addRefusals(sql: Sql, counts: RefusalCounts): Promise<void> {
  await sql.query(ADD_REFUSALS, [[...counts.keys()], [...counts.values()]]);
}

/** In one order, or two processes would wait for each other's rows. */
const ADD_REFUSALS = statement(
  'add_refusals',
  `
  INSERT INTO blocked_requests (reason, count)
  SELECT reason, count FROM unnest($1::text[], $2::bigint[]) AS m (reason, count), ${ASYNC_COMMIT} ORDER BY reason
  ON CONFLICT (reason) DO UPDATE SET count = blocked_requests.count + excluded.count
  `,
);

/** Of all processes there ever were. */
export async function readRefusals(sql: Sql): Promise<RefusalCounts> {
  const rows = await sql.query<{ reason: string; count: number }>(READ_REFUSALS);
  return new Map(rows.map(({ reason, count }) => [reason, count]));
}

const READ_REFUSALS = statement(
  'read_refusals',
  'SELECT reason, count::float8 AS count FROM blocked_requests',
);
