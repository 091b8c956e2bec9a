import { statement } from '../../db/statement.ts';
import { type Bench, startApi, withChildren } from '../bench.ts';
import { API_KEY } from '../job.ts';
import { now, percentile } from '../measure.ts';
import { createScratch, type Scratch } from '../scratch.ts';

const PART = 'stats';
const SAMPLES = 50;

/** How long statistics take: of one link with all the clicks there are, and of all jobs. */
export async function measureStats(bench: Bench): Promise<void> {
  const clicks = bench.options.quick ? 1_000_000 : 10_000_000;
  const scratch = await createScratch(bench.services);
  await fill(scratch, clicks);
  await withChildren(async (keep) => {
    const api = await keep(startApi(bench, 'embedded', scratch.url));
    const add = async (name: string, path: string) => {
      const times = await ask(`${api.ready.url}/api/v1${path}`);
      for (const [label, share] of [
        ['p50', 0.5],
        ['p99', 0.99],
      ] as const) {
        bench.report.add({
          ...{ part: PART, name: `${name}, ${label}`, value: percentile(times, share), unit: 'ms' },
          note: `${clicks / 1e6} million clicks`,
          target: { of: 'value', atMost: 100 },
        });
      }
    };
    await add('a link, thirty days', '/links/bench/stats');
    await add('a link, a day by the hour', '/links/bench/stats?interval=hour');
    await add('all jobs, thirty days', '/stats?all=true');
  });
  await scratch.drop();
}

async function ask(url: string): Promise<number[]> {
  const times: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const begin = now();
    const response = await fetch(url, { headers: { authorization: `Bearer ${API_KEY}` } });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${url}: ${response.status} ${text}`);
    times.push(now() - begin);
  }
  return times;
}

/** A month of one link, as the analytics worker would have left it: rows, visitors and roll-ups; and as many hours of jobs. */
async function fill({ database }: Scratch, clicks: number): Promise<void> {
  await database.query(MAKE_LINK);
  await database.query(MAKE_CLICKS, [clicks]);
  for (const sql of [
    MAKE_HOURS,
    MAKE_DAYS,
    MAKE_VISITORS,
    MAKE_BREAKDOWNS,
    MAKE_JOB_HOURS,
    MAKE_JOB_BREAKDOWNS,
  ]) {
    await database.query(sql);
  }
  await database.knex.raw('VACUUM ANALYZE');
}

const MAKE_LINK = statement(
  'bench_make_link',
  `INSERT INTO links (code, user_id, url) SELECT 'bench', id, 'https://example.com/' FROM users LIMIT 1`,
);
const MAKE_CLICKS = statement(
  'bench_make_clicks',
  `
  INSERT INTO clicks (id, link_id, clicked_at, kind, visitor, referrer, user_agent, device, country)
  SELECT gen_random_uuid(), l.id, now() - n * interval '30 days' / $1::int, 'person', n / 4, 'site' || n % 300 || '.example.com',
         'Browser ' || n % 20, 'desktop', 'AT'
  FROM generate_series(1, $1::int) AS n, links l WHERE l.code = 'bench'
  `,
);
const COUNTED = `count(*), count(DISTINCT visitor), 0, 0 FROM clicks GROUP BY 1, 2`;
const MAKE_HOURS = statement(
  'bench_make_hours',
  `
  INSERT INTO link_hourly (link_id, hour, first_visits, last_visits, human_clicks, visitors, bot_clicks, head_requests)
  SELECT link_id, date_trunc('hour', clicked_at), count(DISTINCT visitor), count(DISTINCT visitor), ${COUNTED}
  `,
);
const MAKE_DAYS = statement(
  'bench_make_days',
  `INSERT INTO link_daily SELECT link_id, (clicked_at AT TIME ZONE 'UTC')::date, ${COUNTED}`,
);
/** The worker's pruner keeps a week of them. */
const MAKE_VISITORS = statement(
  'bench_make_visitors',
  `
  INSERT INTO link_visitors
  SELECT link_id, (clicked_at AT TIME ZONE 'UTC')::date, visitor, bit_or(1 << extract(hour FROM clicked_at AT TIME ZONE 'UTC')::int)
  FROM clicks WHERE clicked_at > now() - interval '7 days' GROUP BY 1, 2, 3
  `,
);
const MAKE_BREAKDOWNS = statement(
  'bench_make_breakdowns',
  `
  INSERT INTO link_breakdowns
  SELECT link_id, (clicked_at AT TIME ZONE 'UTC')::date, part.kind, part.value, count(*)
  FROM clicks, LATERAL (VALUES ('referrer', referrer), ('user_agent', user_agent), ('device', device), ('country', country)) AS part (kind, value)
  GROUP BY 1, 2, 3, 4
  `,
);
const NOBODY = '00000000-0000-0000-0000-000000000000';
const MAKE_JOB_HOURS = statement(
  'bench_make_job_hours',
  `
  INSERT INTO job_hourly SELECT '${NOBODY}', date_trunc('hour', now()) - n * interval '1 hour', 1, 1, 1, 0, 0, 0, 1, 0, 0
  FROM generate_series(0, 8760) AS n
  `,
);
const MAKE_JOB_BREAKDOWNS = statement(
  'bench_make_job_breakdowns',
  `
  INSERT INTO job_breakdowns SELECT '${NOBODY}', current_date - day, 'host', 'site' || host || '.example.com', 1, 1, 0
  FROM generate_series(0, 30) AS day, generate_series(1, 1000) AS host
  `,
);
