import { ASYNC_COMMIT, type Sql } from '../connect.ts';
import { statement } from '../statement.ts';

export interface RequestRate {
  userId: string;
  perSecond: number;
}

/** What API processes count of the requests of one user. */
export interface FleetRate {
  userId: string;
  /** Requests per second at the other processes. */
  others: number;
  /** How many they are. */
  processes: number;
}

/**
 * Reports the request rates of this API process; returns those of the others for the same users.
 * One statement per second, and only while somebody comes near a limit.
 */
export const reportRates = (sql: Sql, processId: string, rates: RequestRate[]): Promise<FleetRate[]> =>
  sql.query<FleetRate>(REPORT_RATES, [
    processId,
    rates.map(({ userId }) => userId),
    rates.map(({ perSecond }) => perSecond),
  ]);

/** Sorted, so that two processes lock rows in the same order. */
const REPORT_RATES = statement(
  'report_request_rates',
  `
  WITH given AS (
    SELECT r.user_id, r.per_second FROM unnest($2::uuid[], $3::real[]) AS r (user_id, per_second), ${ASYNC_COMMIT}
    ORDER BY r.user_id
  ), mine AS (
    INSERT INTO request_rates (process_id, user_id, per_second) SELECT $1::uuid, user_id, per_second FROM given
    ON CONFLICT (user_id, process_id) DO UPDATE SET per_second = excluded.per_second, counted_at = now()
  )
  SELECT g.user_id AS "userId", coalesce(sum(q.per_second), 0)::float8 AS others, count(q.process_id)::int AS processes
  FROM given g LEFT JOIN request_rates q
    ON q.user_id = g.user_id AND q.process_id <> $1::uuid AND q.counted_at > now() - interval '3 s'
  GROUP BY g.user_id
  `,
);
