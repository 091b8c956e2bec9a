import { randomBytes } from 'node:crypto';
import type { Interval } from '../../core/calendar.ts';
import type { ClickKind } from '../../core/links/link.ts';
import type { Database, Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/** A click as it is counted. */
export interface CountedClick {
  /** Id of its event. */
  id: string;
  link_id: string;
  /** ISO 8601. */
  clicked_at: string;
  kind: ClickKind;
  /** 16 hex digits. */
  visitor: string | null;
  referrer: string | null;
  user_agent: string;
  device: string | null;
  country: string | null;
}

/**
 * Stores clicks and counts those that were not stored before, in one transaction; returns how many
 * were new. One writer at a time: two cannot decide concurrently whether a visitor is new, and one
 * alone stores some 20,000 per second.
 */
export async function storeClicks(database: Database, clicks: CountedClick[]): Promise<number> {
  return database.transaction(async (sql) => {
    await sql.query(LOCK_CLICKS);
    const [row] = await sql.query<{ stored: number }>(STORE_CLICKS, [JSON.stringify(clicks)]);
    return row?.stored ?? 0;
  });
}

const LOCK_CLICKS = statement('lock_clicks', 'SELECT pg_advisory_xact_lock(4203021)');

/**
 * Human visitors: bots come with many addresses and hide their names, so their clicks are not
 * broken down.
 */
const HUMAN = `kind = 'person'`;

/**
 * Anyone can invent referrers: beyond a thousand names per day and link, all further ones are
 * counted as one. `OFFSET 0` makes Postgres look each up in the index; without it the planner may
 * prefer to hash the whole table once.
 */
const BOUNDED_VALUE = `
  CASE WHEN EXISTS (SELECT FROM link_breakdowns o WHERE o.link_id = counted.link_id AND o.day = counted.day
                      AND o.kind = counted.kind AND o.value = counted.value OFFSET 0)
         OR (SELECT count(*) FROM (SELECT FROM link_breakdowns o WHERE o.link_id = counted.link_id AND o.day = counted.day
                                     AND o.kind = counted.kind LIMIT 1000) AS known) < 1000
       THEN value ELSE '(other)' END`;

/**
 * As SQL, the first or last hour of a day set in a mask such as `link_visitors.hours_mask` (one bit
 * per hour, hour 0 the lowest); 24 if none is set.
 */
const bitHour = (mask: string, which: 'first' | 'last'): string =>
  which === 'first'
    ? `24 - length(rtrim((${mask})::bit(24)::text, '0'))`
    : `24 - position('1' IN (${mask})::bit(24)::text)`;

const STORE_CLICKS = statement(
  'store_clicks',
  `
  WITH stored AS (
    INSERT INTO clicks (id, link_id, clicked_at, kind, visitor, referrer, user_agent, device, country)
    SELECT id, link_id, clicked_at, kind, ('x' || visitor)::bit(64)::bigint, referrer, user_agent, device, country
    FROM json_to_recordset($1::json) AS c (id uuid, link_id uuid, clicked_at timestamptz, kind text, visitor text, referrer text,
                                           user_agent text, device text, country text)
    ON CONFLICT (id) DO NOTHING
    RETURNING link_id, clicked_at AT TIME ZONE 'UTC' AS at, kind, visitor, referrer, user_agent, device, country
  ), seen AS (
    SELECT link_id, at::date AS day, visitor, bit_or(1 << extract(hour FROM at)::int) AS hours_mask
    FROM stored WHERE ${HUMAN} AND visitor IS NOT NULL GROUP BY 1, 2, 3
  ), fresh AS MATERIALIZED (
    SELECT s.link_id, s.day, s.visitor, s.hours_mask, v.hours_mask IS NULL AS of_day, s.hours_mask & ~coalesce(v.hours_mask, 0) AS of_hours,
           coalesce(v.hours_mask, 0) AS before, s.hours_mask | coalesce(v.hours_mask, 0) AS after
    FROM seen s LEFT JOIN link_visitors v ON v.link_id = s.link_id AND v.day = s.day AND v.visitor = s.visitor
  ), remembered AS (
    INSERT INTO link_visitors AS v (link_id, day, visitor, hours_mask)
    SELECT link_id, day, visitor, hours_mask FROM fresh WHERE of_hours <> 0
    ON CONFLICT (link_id, day, visitor) DO UPDATE SET hours_mask = v.hours_mask | excluded.hours_mask
  ), by_hour AS (
    INSERT INTO link_hourly AS h (link_id, hour, human_clicks, visitors, bot_clicks, head_requests, first_visits, last_visits)
    SELECT link_id, hour AT TIME ZONE 'UTC', sum(human_clicks), sum(visitors), sum(bot_clicks), sum(head_requests), sum(first_visits), sum(last_visits) FROM (
      SELECT link_id, date_bin('15 minutes', at, '2000-01-01') AS hour, count(*) FILTER (WHERE ${HUMAN}) AS human_clicks, 0 AS visitors,
             count(*) FILTER (WHERE kind = 'bot') AS bot_clicks, count(*) FILTER (WHERE kind = 'head') AS head_requests, 0 AS first_visits, 0 AS last_visits
      FROM stored GROUP BY 1, 2
      UNION ALL
      SELECT link_id, day + hour * interval '1 hour', 0, count(*), 0, 0, 0, 0
      FROM fresh CROSS JOIN generate_series(0, 23) AS hour WHERE of_hours & (1 << hour) <> 0 GROUP BY 1, 2
      UNION ALL
      SELECT link_id, day + edge.hour * interval '1 hour', 0, 0, 0, 0, sum(edge.first_visits), sum(edge.last_visits)
      FROM fresh, LATERAL (VALUES
        (${bitHour('after', 'first')}, 1, 0), (${bitHour('before', 'first')}, -1, 0),
        (${bitHour('after', 'last')}, 0, 1), (${bitHour('before', 'last')}, 0, -1)) AS edge (hour, first_visits, last_visits)
      WHERE of_hours <> 0 AND edge.hour < 24 GROUP BY 1, 2
    ) AS parts GROUP BY 1, 2
    ON CONFLICT (link_id, hour) DO UPDATE
    SET human_clicks = h.human_clicks + excluded.human_clicks, visitors = h.visitors + excluded.visitors,
        bot_clicks = h.bot_clicks + excluded.bot_clicks, head_requests = h.head_requests + excluded.head_requests,
        first_visits = h.first_visits + excluded.first_visits, last_visits = h.last_visits + excluded.last_visits
  ), by_day AS (
    INSERT INTO link_daily AS d (link_id, day, human_clicks, visitors, bot_clicks, head_requests)
    SELECT link_id, day, sum(human_clicks), sum(visitors), sum(bot_clicks), sum(head_requests) FROM (
      SELECT link_id, at::date AS day, count(*) FILTER (WHERE ${HUMAN}) AS human_clicks, 0 AS visitors,
             count(*) FILTER (WHERE kind = 'bot') AS bot_clicks, count(*) FILTER (WHERE kind = 'head') AS head_requests
      FROM stored GROUP BY 1, 2
      UNION ALL
      SELECT link_id, day, 0, count(*), 0, 0 FROM fresh WHERE of_day GROUP BY 1, 2
    ) AS parts GROUP BY 1, 2
    ON CONFLICT (link_id, day) DO UPDATE
    SET human_clicks = d.human_clicks + excluded.human_clicks, visitors = d.visitors + excluded.visitors,
        bot_clicks = d.bot_clicks + excluded.bot_clicks, head_requests = d.head_requests + excluded.head_requests
  ), broken_down AS (
    INSERT INTO link_breakdowns AS b (link_id, day, kind, value, clicks)
    SELECT link_id, day, kind, ${BOUNDED_VALUE}, sum(clicks)
    FROM (
      SELECT link_id, at::date AS day, part.kind, part.value, count(*) AS clicks
      FROM stored, LATERAL (VALUES
        ('referrer', CASE WHEN ${HUMAN} THEN coalesce(referrer, '') END),
        ('user_agent', CASE WHEN ${HUMAN} THEN user_agent END),
        ('device', CASE WHEN ${HUMAN} THEN device END),
        ('country', CASE WHEN ${HUMAN} THEN country END),
        ('bot', CASE WHEN kind = 'bot' THEN user_agent END)) AS part (kind, value)
      WHERE part.value IS NOT NULL GROUP BY 1, 2, 3, 4
    ) AS counted GROUP BY 1, 2, 3, 4
    ON CONFLICT (link_id, day, kind, value) DO UPDATE SET clicks = b.clicks + excluded.clicks
  )
  SELECT count(*)::int AS stored FROM stored
  `,
);

export interface ClickCounts {
  human_clicks: number;
  visitors: number;
  bot_clicks: number;
  head_requests: number;
}

/** Statistics of a link's clicks between two moments, `to` exclusive. Read from roll-ups alone. */
export interface ClickStats {
  totals: ClickCounts;
  series: (ClickCounts & { at: Date })[];
  /** The most frequent values by kind, for the whole days of the range. */
  top: Map<string, { value: string; clicks: number }[]>;
}

/**
 * Clicks are summed by the quarter of an hour, visitors by the hour of UTC: in a time zone half an
 * hour beside it, a visitor who came in that hour only may count for the interval before.
 *
 * @param range `starts` are those of the intervals of the series
 */
export async function readClickStats(
  sql: Sql,
  linkId: string,
  range: { from: Date; to: Date; interval: Interval; tz: string; starts: Date[] },
): Promise<ClickStats> {
  const { from, to, interval, starts } = range;
  const values = [linkId, from, to];
  const isStored = interval === 'day' && range.tz === 'UTC';
  const countVisitors = async (begins: Date[], ends: Date[]) =>
    new Map(
      (await sql.query<{ begins: Date; visitors: number }>(COUNT_VISITORS, [linkId, begins, ends])).map(
        (row) => [row.begins.getTime(), row.visitors],
      ),
    );
  const [series, visitors, top] = await Promise.all([
    isStored
      ? sql.query<ClickCounts & { at: Date }>(READ_DAYS, values)
      : sql.query<ClickCounts & { at: Date }>(READ_INTERVALS, [...values, starts]),
    isStored ? undefined : countVisitors([from], [to]),
    sql.query<{ kind: string; value: string; clicks: number }>(READ_TOP, values),
  ]);
  if (!isStored && interval !== 'hour') {
    const places = new Map(starts.map((start, place) => [start.getTime(), place]));
    const ends = series.map(({ at }) => starts[(places.get(at.getTime()) ?? 0) + 1] ?? to);
    const counted = await countVisitors(
      series.map(({ at }) => at),
      ends,
    );
    for (const point of series) point.visitors = counted.get(point.at.getTime()) ?? 0;
  }
  const totals = { human_clicks: 0, visitors: 0, bot_clicks: 0, head_requests: 0 };
  for (const point of series) {
    totals.human_clicks += point.human_clicks;
    totals.visitors += point.visitors;
    totals.bot_clicks += point.bot_clicks;
    totals.head_requests += point.head_requests;
  }
  // A visitor who came in two hours is one visitor of the day.
  if (visitors) totals.visitors = visitors.get(from.getTime()) ?? 0;
  const byKind = new Map<string, { value: string; clicks: number }[]>();
  for (const { kind, value, clicks } of top) {
    byKind.set(kind, [...(byKind.get(kind) ?? []), { value, clicks }]);
  }
  return { totals, series, top: byKind };
}

const READ_DAYS = statement(
  'read_link_days',
  `
  SELECT day::timestamp AT TIME ZONE 'UTC' AS at, human_clicks, visitors, bot_clicks, head_requests FROM link_daily
  WHERE link_id = $1 AND day >= ($2::timestamptz AT TIME ZONE 'UTC')::date AND day < ($3::timestamptz AT TIME ZONE 'UTC')::date
  ORDER BY day
  `,
);

/** Half an hour beside UTC, an interval may have visitors and no clicks: those are in the next. */
const READ_INTERVALS = statement(
  'read_link_intervals',
  `
  SELECT ($4::timestamptz[])[width_bucket(hour, $4::timestamptz[])] AS at, sum(human_clicks)::int AS human_clicks,
         sum(visitors)::int AS visitors, sum(bot_clicks)::int AS bot_clicks, sum(head_requests)::int AS head_requests
  FROM link_hourly WHERE link_id = $1 AND hour >= $2 AND hour < $3
  GROUP BY 1 HAVING sum(human_clicks) + sum(bot_clicks) + sum(head_requests) > 0 ORDER BY 1
  `,
);

/** Sums one of the counts of a day's hours within the range. */
const hoursOfDay = (count: string) => `
  (SELECT coalesce(sum(h.${count}), 0) FROM link_hourly h
   WHERE h.link_id = $1 AND h.hour >= greatest(r.begins, d.begins) AND h.hour < least(r.ends, d.ends))`;

/**
 * For whole days, and for the first and last part of a day, visitors were counted as they came. For
 * some hours in the middle of a day the visitor rows are counted; they are kept for a week. Before
 * that, the sum of the hours is the best available figure: a visitor who stayed for two hours is in
 * it twice. A day that is not over ends now.
 */
const COUNT_VISITORS = statement(
  'count_link_visitors',
  `
  SELECT r.begins, coalesce(sum(least(visitors,
           CASE WHEN r.begins <= d.begins AND r.ends >= least(d.ends, now()) THEN visitors
                WHEN r.begins <= d.begins THEN ${hoursOfDay('first_visits')}
                WHEN r.ends >= least(d.ends, now()) THEN ${hoursOfDay('last_visits')}
                WHEN day >= current_date - 7 THEN (
                  SELECT count(*) FROM link_visitors v WHERE v.link_id = $1 AND v.day = d.day AND v.hours_mask & (
                    SELECT bit_or(1 << hour) FROM generate_series(0, 23) AS hour
                    WHERE d.begins + hour * interval '1 hour' >= r.begins AND d.begins + hour * interval '1 hour' < r.ends) <> 0)
                ELSE ${hoursOfDay('visitors')} END)), 0)::int AS visitors
  FROM unnest($2::timestamptz[], $3::timestamptz[]) AS r (begins, ends), LATERAL (
    SELECT day, visitors, day::timestamp AT TIME ZONE 'UTC' AS begins, (day + 1)::timestamp AT TIME ZONE 'UTC' AS ends
    FROM link_daily
    WHERE link_id = $1 AND day >= (r.begins AT TIME ZONE 'UTC')::date AND day <= (r.ends AT TIME ZONE 'UTC')::date
  ) AS d
  WHERE d.begins < r.ends AND d.ends > r.begins
  GROUP BY r.begins
  `,
);

const READ_TOP = statement(
  'read_link_breakdowns',
  `
  SELECT kind, value, clicks::int FROM (
    SELECT kind, value, sum(clicks) AS clicks,
           row_number() OVER (PARTITION BY kind ORDER BY sum(clicks) DESC, value) AS place
    FROM link_breakdowns
    WHERE link_id = $1 AND day >= ($2::timestamptz AT TIME ZONE 'UTC')::date AND day < $3::timestamptz AT TIME ZONE 'UTC'
    GROUP BY kind, value
  ) AS ranked WHERE place <= 10 ORDER BY kind, place
  `,
);

/**
 * The salts of today and tomorrow, by day (YYYY-MM-DD, UTC), the same for every process; they are
 * created on first use, and yesterday's is deleted. Tomorrow's too, so that a database outage at
 * midnight changes nothing.
 */
export async function dailySalts(sql: Sql): Promise<Map<string, Buffer>> {
  const rows = await sql.query<{ day: string; salt: Buffer }>(DAILY_SALTS, [
    randomBytes(32),
    randomBytes(32),
  ]);
  return new Map(rows.map(({ day, salt }) => [day, salt]));
}

/**
 * `DO UPDATE` to the present value, because only then is the row returned, whichever process made
 * it.
 */
const DAILY_SALTS = statement(
  'daily_salts',
  `
  WITH days AS (SELECT (now() AT TIME ZONE 'UTC')::date AS today), made AS (
    INSERT INTO visitor_salts AS s (day, salt)
    SELECT today, $1::bytea FROM days UNION ALL SELECT today + 1, $2::bytea FROM days
    ON CONFLICT (day) DO UPDATE SET salt = s.salt
    RETURNING day, salt
  ), forgotten AS (
    DELETE FROM visitor_salts WHERE day < (SELECT today FROM days)
  )
  SELECT day::text AS day, salt FROM made
  `,
);
