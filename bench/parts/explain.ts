import pg from 'pg';
import { type Database, type Sql, type Statement, statement } from '../../db/connect.ts';
import {
  BEGINNING,
  END,
  followLedger,
  listJobEvents,
  listUserEvents,
  readEvents,
} from '../../db/events/events.ts';
import { claimJobs } from '../../db/jobs/claim.ts';
import {
  countLongDispatched,
  listWaiting,
  markDispatched,
  queueDueJobs,
  readWindow,
} from '../../db/jobs/dispatch.ts';
import { listJobs } from '../../db/jobs/read.ts';
import { settleExpiredRuns, settleJobs } from '../../db/jobs/settle.ts';
import type { Bench } from '../bench.ts';
import { createScratch, vacuum } from '../scratch.ts';
import { FILL_NOTIFICATIONS, notificationSteps, type Step } from './explain-notifications.ts';

const PART = 'explain';
const ROWS = 1_000_000;
const SMALL_MS = 10;

/**
 * The statements of a job's life against 1,000,000 jobs, mostly final. They are the product's own: each function is given a
 * database that explains what it is asked instead of running it, and rolls back.
 */
export async function explainAccessPaths(bench: Bench): Promise<void> {
  const rows = bench.options.quick ? ROWS / 10 : ROWS;
  const scratch = await createScratch(bench.services);
  process.stderr.write(`bench: filling ${rows} jobs …\n`);
  await scratch.database.knex.raw(FILL.replaceAll(':rows', String(rows)));
  await scratch.database.knex.raw(FILL_NOTIFICATIONS);
  await vacuum(scratch.url);
  const [user] = await scratch.database.query<{ id: string }>(FIND_USER);
  const waiting = await scratch.database.query<{ id: string; attempt: number; asides: number }>(
    SOME_DISPATCHED,
  );
  const running = await scratch.database.query<{ id: string; attempt: number; worker_id: string }>(
    SOME_RUNNING,
  );
  const list = { userId: user?.id ?? '', limit: 50, after: null };
  const retry = { baseMs: 1000, capMs: 60_000 };
  const completed = {
    status: 'completed',
    outcome: 'completed',
    delayMs: 0,
    spendsAttempt: true,
    snoozes: 0,
    recordAttempt: true,
    error: null,
    event: 'job.completed',
  } as const;
  const part = { after: BEGINNING, upTo: END, limit: 100 };
  const steps: Step[] = [
    ['claim of 16 jobs', (sql) => claimJobs(sql, { id: 'bench', leaseMs: 15_000 }, waiting)],
    [
      'settle of 16 runs',
      (sql) =>
        settleJobs(
          sql,
          running.map(({ id, attempt, worker_id }) => ({
            run: { id, attempt, workerId: worker_id },
            transition: completed,
          })),
        ),
    ],
    ['sweep: due jobs', (sql) => queueDueJobs(sql, 1000)],
    ['sweep: the window', readWindow],
    ['sweep: waiting jobs', (sql) => listWaiting(sql, 1000)],
    ['sweep: mark 16 dispatched', (sql) => markDispatched(sql, waiting)],
    ['sweep: long dispatched', (sql) => countLongDispatched(sql, 10_000)],
    ['rescuer: expired leases', (sql) => settleExpiredRuns(sql, retry, 100)],
    ['relay: next 500 events', (sql) => readEvents(sql, 'relay', 500)],
    ['streams: next 1000 events', (sql) => followLedger(sql, { xid: '499', seq: '0' }, 1000)],
    ['events of a user', (sql) => listUserEvents(sql, list.userId, null, part)],
    ['events of a job', (sql) => listJobEvents(sql, running[0]?.id ?? '', null, part)],
    ['list, newest first', (sql) => listJobs(sql, { ...list, status: undefined })],
    ['list of failed, newest first', (sql) => listJobs(sql, { ...list, status: 'failed' })],
    ['list of queued, newest first', (sql) => listJobs(sql, { ...list, status: 'queued' })],
    ...(await notificationSteps(scratch.database)),
  ];
  const client = new pg.Client({ connectionString: scratch.url });
  await client.connect();
  for (const [name, run] of steps) {
    for (const [index, plan] of (await explain(client, run)).entries())
      addPlan(bench, index ? `${name} (${index + 1})` : name, plan);
  }
  await client.end();
  await scratch.drop();
}

function addPlan({ report }: Bench, name: string, plan: string): void {
  console.log(`\n${name}\n${plan}`);
  const indices = new Set(
    [...plan.matchAll(/(?:using|Bitmap Index Scan on) (\w+)/g)].map(([, index]) => index),
  );
  const scans = new Set([...plan.matchAll(/Seq Scan on (\w+)/g)].map(([, table]) => table));
  const [, hit = '0', read = '0'] = /Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(plan) ?? [];
  const milliseconds = Number(/Execution Time: ([\d.]+)/.exec(plan)?.[1]);
  const note = [
    [...indices].join(' ') || 'no index',
    ...(scans.size > 0 ? [`reads all of ${[...scans].join(' ')}`] : []),
    `${Number(hit) + Number(read)} blocks`,
  ].join(', ');
  report.add({
    part: PART,
    name,
    note,
    value: milliseconds,
    unit: 'ms',
    target: { of: 'value', atMost: SMALL_MS },
  });
}

/** The plans of what `run` asks for, as a connection makes them after some executions: generic, without its values. */
async function explain(client: pg.Client, run: (database: Database) => Promise<unknown>): Promise<string[]> {
  const plans: string[] = [];
  const sql: Sql = {
    query: async <Row>({ name, text }: Statement, values: unknown[] = []) => {
      plans.push(await explainOne(client, name, text, values));
      return [] as Row[];
    },
  };
  const database = { ...sql, transaction: <T>(work: (sql: Sql) => Promise<T>) => work(sql) } as Database;
  // Some want a row to go on; by then they have asked.
  await run(database).catch((error) => {
    if (plans.length === 0) throw error;
  });
  return plans;
}

async function explainOne(client: pg.Client, name: string, text: string, values: unknown[]): Promise<string> {
  await client.query('SET plan_cache_mode = force_generic_plan');
  await client.query(`PREPARE ${name}_explained AS ${text}`);
  await client.query('BEGIN');
  const args = values.length > 0 ? `(${values.map((value) => literal(client, value)).join(', ')})` : '';
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, SUMMARY) EXECUTE ${name}_explained${args}`,
  );
  await client.query('ROLLBACK');
  await client.query(`DEALLOCATE ${name}_explained`);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

function literal(client: pg.Client, value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return client.escapeLiteral(Array.isArray(value) ? `{${value.join(',')}}` : String(value));
}

const FIND_USER = statement('bench_find_user', "SELECT id FROM users WHERE email = 'user3@example.com'");
const SOME_DISPATCHED = statement(
  'bench_some_dispatched',
  "SELECT id, attempt, asides FROM jobs WHERE status = 'queued' AND dispatched_at IS NOT NULL LIMIT 16",
);
const SOME_RUNNING = statement(
  'bench_some_running',
  "SELECT id, attempt, worker_id FROM jobs WHERE status = 'running' LIMIT 16",
);

/** Of a thousand jobs: 10 wait, 1 is dispatched, 1 runs, 1 is due, 4 wait for their time, 30 failed, 10 cancelled. */
const FILL = `
  INSERT INTO users (email, name, role) SELECT 'user' || n || '@example.com', 'User ' || n, 'user' FROM generate_series(1, 20) AS n;
  WITH numbered AS (
    SELECT n, n % 1000 AS kind, now() - (:rows - n) * interval '1 s' AS created_at FROM generate_series(1, :rows) AS n
  ), people AS (SELECT id, row_number() OVER () AS place FROM users)
  INSERT INTO jobs (id, user_id, status, priority, attempt, max_attempts, spec, correlation_id, created_at, run_at,
                    dispatched_at, started_at, attempt_started_at, worker_id, lease_until, finished_at)
  SELECT gen_random_uuid(), p.id,
         CASE WHEN kind < 11 THEN 'queued' WHEN kind < 12 THEN 'running' WHEN kind < 14 THEN 'scheduled'
              WHEN kind < 17 THEN 'retrying' WHEN kind < 47 THEN 'failed' WHEN kind < 57 THEN 'cancelled'
              ELSE 'completed' END,
         n % 3, CASE WHEN kind < 11 THEN 0 ELSE 1 END, 3,
         '{"urls":["https://example.com/catalogue/page-1.html"],"formats":["markdown","links"]}', 'bench-' || n,
         created_at, created_at + CASE WHEN kind BETWEEN 13 AND 16 THEN interval '90 days' ELSE interval '0' END,
         CASE WHEN kind = 0 THEN now() END, CASE WHEN kind >= 11 THEN created_at END,
         CASE WHEN kind >= 11 THEN created_at END, CASE WHEN kind >= 11 THEN 'worker-' || n % 7 END,
         CASE WHEN kind = 11 THEN now() + CASE WHEN n % 20000 = 11 THEN interval '-1 s' ELSE interval '1 day' END END,
         CASE WHEN kind >= 17 THEN created_at + interval '5 s' END
  FROM numbered JOIN people p ON p.place = n % 20 + 1;
  INSERT INTO attempts (job_id, started_at, attempt, worker_id, outcome, finished_at)
  SELECT id, started_at, 1, worker_id, status, finished_at FROM jobs WHERE finished_at IS NOT NULL;
  INSERT INTO events (xid, type, version, user_id, job_id, correlation_id, data)
  SELECT (1 + row_number() OVER (ORDER BY id) * 500 / :rows)::text::xid8, 'job.created', '1.0', user_id, id, correlation_id,
         json_build_object('job_id', id, 'status', status)
  FROM jobs;
  UPDATE event_cursors SET xid = '500', seq = (SELECT min(seq) + 100 FROM events WHERE xid = '500') WHERE reader = 'relay';
`;
