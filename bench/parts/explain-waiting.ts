import type { Database } from '../../db/connect.ts';
import { claimJobs } from '../../db/jobs/claim.ts';
import { listWaiting, markDispatched } from '../../db/jobs/dispatch.ts';
import { applyTurnChanges, findForgottenTurns, readWindow } from '../../db/jobs/turns.ts';
import { statement } from '../../db/statement.ts';
import type { Step } from './explain-notifications.ts';

/**
 * SQL that makes 10,000 users with as many waiting jobs in all: `rows`, and 16 jobs on the queue.
 */
export const fillWaiting = (rows: number): string => `
  INSERT INTO users (email, name, role)
  SELECT 'waiting' || n || '@example.com', 'User ' || n, 'member' FROM generate_series(1, 10000) AS n;
  INSERT INTO jobs (id, user_id, status, priority, max_attempts, spec, correlation_id, created_at, run_at, dispatched_at)
  SELECT gen_random_uuid(), u.id, 'queued', n % 3, 3,
         '{"urls":["https://example.com/catalogue/page-1.html"],"formats":["markdown","links"]}', 'bench',
         now() - n * interval '10 ms', now(), CASE WHEN n <= 16 THEN now() END
  FROM generate_series(1, ${rows}) AS n
  JOIN (SELECT id, row_number() OVER () AS place FROM users WHERE email LIKE 'waiting%') AS u ON u.place = n % 10000 + 1;
  INSERT INTO turns (user_id, virtual_ms, waiting) SELECT id, 1000 * random(), true FROM users WHERE email LIKE 'waiting%';
  INSERT INTO turn_changes (user_id, slot_ms, due_at) SELECT user_id, 0, now() FROM turns LIMIT 64;
`;

/** What the scheduler and the workers ask while they all wait. */
export async function waitingSteps(database: Database): Promise<Step[]> {
  const users = await database.query<{ user_id: string }>(FIRST_USERS);
  const dispatched = await database.query<{ id: string; attempt: number; yieldCount: number }>(DISPATCHED);
  const turns = new Map(users.map(({ user_id }) => [user_id, 1]));
  return [
    ['changes of turns of 64 users', (sql) => applyTurnChanges(sql, null)],
    ['the window, for 64 turns', (sql) => readWindow(sql, 64)],
    ['next jobs of 64 users', (sql) => listWaiting(sql, turns)],
    ['mark 16 dispatched', (sql) => markDispatched(sql, dispatched)],
    ['claim of 16 jobs', (sql) => claimJobs(sql, { id: 'bench', leaseMs: 15_000 }, dispatched)],
    ['forgotten turns, every 5 s', findForgottenTurns],
  ];
}

const FIRST_USERS = statement(
  'bench_first_users',
  'SELECT user_id FROM turns WHERE waiting ORDER BY virtual_ms LIMIT 64',
);
const DISPATCHED = statement(
  'bench_dispatched',
  `SELECT id, attempt, yield_count AS "yieldCount" FROM jobs WHERE status = 'queued' AND dispatched_at IS NOT NULL`,
);
