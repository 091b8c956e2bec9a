import pg from 'pg';
import { type Database, INDEX_PLANS, type Sql } from '../../db/connect.ts';
import {
  BEGINNING,
  END,
  followLedger,
  listJobEvents,
  listUserEvents,
  readEvents,
} from '../../db/events/events.ts';
import { claimJobs } from '../../db/jobs/claim.ts';
import { countLongDispatched, listWaiting, markDispatched, queueDueJobs } from '../../db/jobs/dispatch.ts';
import { listJobs } from '../../db/jobs/list.ts';
import { settleExpiredRuns, settleJobs } from '../../db/jobs/settle.ts';
import { applyTurnChanges, findForgottenTurns, readWindow } from '../../db/jobs/turns.ts';
import { type Statement, statement } from '../../db/statement.ts';
import type { Bench } from '../bench.ts';
import { FILL_NOTIFICATIONS, fillJobs } from '../fill.ts';
import { BENCH_SECRETS } from '../job.ts';
import { createScratch, vacuum } from '../scratch.ts';
import { notificationSteps, type Step } from './explain-notifications.ts';
import { fillWaiting, waitingSteps } from './explain-waiting.ts';

const PART = 'explain';
const ROWS = 1_000_000;
const SMALL_MS = 10;

/**
 * The statements of a job's life against 1,000,000 jobs, mostly final. They are the product's own:
 * each function gets a database that explains its statements instead of running them, and rolls
 * back.
 */
export async function explainAccessPaths(bench: Bench): Promise<void> {
  const rows = bench.options.quick ? ROWS / 10 : ROWS;
  const scratch = await createScratch(bench.services);
  process.stderr.write(`bench: filling ${rows} jobs …\n`);
  await scratch.database.knex.raw(fillJobs(rows));
  await scratch.database.knex.raw(FILL_NOTIFICATIONS);
  await vacuum(scratch.url);
  const [user] = await scratch.database.query<{ id: string }>(FIND_USER);
  const waiting = await scratch.database.query<{ id: string; attempt: number; yieldCount: number }>(
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
    ['scheduler: due jobs', (sql) => queueDueJobs(sql, 1000)],
    ['scheduler: changes of turns', (sql) => applyTurnChanges(sql, null)],
    ['scheduler: the window', (sql) => readWindow(sql, 64)],
    ['scheduler: waiting jobs', (sql) => listWaiting(sql, new Map([[list.userId, 1000]]))],
    ['scheduler: forgotten turns', findForgottenTurns],
    ['scheduler: mark 16 dispatched', (sql) => markDispatched(sql, waiting)],
    ['scheduler: long dispatched', (sql) => countLongDispatched(sql, 10_000)],
    ['rescuer: expired leases', (sql) => settleExpiredRuns(sql, retry, 100)],
    ['relay: next 500 events', (sql) => readEvents(sql, 'relay', 500)],
    ['streams: next 1000 events', (sql) => followLedger(sql, { xid: '499', seq: '0' }, 1000)],
    ['events of a user', (sql) => listUserEvents(sql, list.userId, null, part)],
    ['events of a job', (sql) => listJobEvents(sql, running[0]?.id ?? '', null, part)],
    ['list, newest first', (sql) => listJobs(sql, { ...list, statuses: undefined })],
    ['list of failed, newest first', (sql) => listJobs(sql, { ...list, statuses: ['failed'] })],
    ['list of queued, newest first', (sql) => listJobs(sql, { ...list, statuses: ['queued'] })],
    ...(await notificationSteps(scratch.database)),
  ];
  await explainSteps(bench, scratch.url, steps);
  await scratch.drop();
  await explainWaiting(bench, rows);
}

/** The dispatcher's statements while that many jobs of 10,000 users wait. */
async function explainWaiting(bench: Bench, rows: number): Promise<void> {
  const scratch = await createScratch(bench.services);
  await scratch.database.knex.raw(fillWaiting(rows));
  await vacuum(scratch.url);
  const steps = await waitingSteps(scratch.database);
  await explainSteps(
    bench,
    scratch.url,
    steps.map(([name, run]): Step => [`${rows} waiting of 10,000 users: ${name}`, run]),
  );
  await scratch.drop();
}

async function explainSteps(bench: Bench, url: string, steps: Step[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(INDEX_PLANS);
  for (const [name, run] of steps) {
    for (const [index, plan] of (await explain(client, run)).entries())
      addPlan(bench, index ? `${name} (${index + 1})` : name, plan);
  }
  await client.end();
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

/**
 * The plans of the statements of `run`, as a connection makes them after some executions: generic,
 * without its values.
 */
async function explain(client: pg.Client, run: (database: Database) => Promise<unknown>): Promise<string[]> {
  const plans: string[] = [];
  const sql: Sql = {
    secrets: BENCH_SECRETS,
    query: async <Row>({ name, text }: Statement, values: unknown[] = []) => {
      plans.push(await explainOne(client, name, text, values));
      return [] as Row[];
    },
  };
  const database = { ...sql, transaction: <T>(work: (sql: Sql) => Promise<T>) => work(sql) } as Database;
  // Some functions fail without a row; their statements have been seen by then.
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
  `SELECT id, attempt, yield_count AS "yieldCount" FROM jobs WHERE status = 'queued' AND dispatched_at IS NOT NULL LIMIT 16`,
);
const SOME_RUNNING = statement(
  'bench_some_running',
  "SELECT id, attempt, worker_id FROM jobs WHERE status = 'running' LIMIT 16",
);
