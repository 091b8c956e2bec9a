import type { ClaimedJob, JobSpec } from '../../../core/jobs/job.ts';
import { settle } from '../../../core/jobs/job-state.ts';
import { connect } from '../../../db/connect.ts';
import { acceptJobs } from '../../../db/jobs/accept.ts';
import { type Claim, claimJobs } from '../../../db/jobs/claim.ts';
import { reportWorker } from '../../../db/jobs/run.ts';
import { settleJobs } from '../../../db/jobs/settle.ts';
import { statement } from '../../../db/statement.ts';
import { createScheduler } from '../../../dispatch/scheduler.ts';
import { createEmbeddedQueue } from '../../../queue/embedded.ts';
import type { Delivery, HandlerOutcome, Queue } from '../../../queue/queue.ts';
import { createRabbitQueue } from '../../../queue/rabbitmq.ts';
import { SCRAPE_JOBS, TOPOLOGY } from '../../../queue/topology.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createVhost } from '../../support/servers/broker.ts';

const WORKER = 'worker-of-the-tests';
const POLICY = { baseMs: 60_000, capMs: 60_000 };

/**
 * The scheduler and one worker, a step at a time: real database and queue, so that the order in
 * which jobs start does not depend on the speed of the machine.
 */
export async function createStage(driver: 'rabbitmq' | 'embedded', { slots = 1 } = {}) {
  const testDatabase = await createTestDatabase();
  const { url } = testDatabase;
  const database = connect({ url, poolSize: 12, applicationName: 'turns-test', logger: silentLogger });
  const queue = await openQueue(driver, url);
  const step = createScheduler({ database, queue, logger: silentLogger });
  await reportWorker(database, { id: WORKER, slots, claimsPerSecond: 0 });

  const held = createHolder();
  const consumer = await queue.consume(SCRAPE_JOBS, { prefetch: 1 }, held.hold);

  const claim = async (id: string, attempt = 0, worker = WORKER, leaseMs = 60_000): Promise<Claim> => {
    const [answer] = await claimJobs(database, { id: worker, leaseMs }, [{ id, attempt }]);
    if (!answer) throw new Error('no answer to a claim');
    return answer;
  };
  let users = 0;
  return {
    database,
    /** One step of the scheduler; what was on the queue is in the database's order then. */
    schedule: async () => {
      // The fleet stays alive however slow the machine is.
      await reportWorker(database, { id: WORKER, slots, claimsPerSecond: 0 });
      await step();
    },
    claim,
    addUser: async (fields: { limit?: number; weight?: number } = {}): Promise<string> => {
      users += 1;
      const values = [`user${users}@example.com`, fields.limit ?? null, fields.weight ?? 1];
      const [user] = await database.query<{ id: string }>(ADD_USER, values);
      return user?.id ?? '';
    },
    setLimit: (userId: string, limit: number | null) => database.query(SET_LIMIT, [userId, limit]),
    /** Jobs that the accepting process did not dispatch. Returns their ids. */
    accept: async (userId: string, count: number, fields: Partial<JobSpec> = {}): Promise<string[]> => {
      const ids: string[] = [];
      for (let left = count; left > 0; left -= 1000) {
        const specs = Array.from({ length: Math.min(left, 1000) }, () => ({
          urls: ['https://example.com/'],
          ...fields,
        })) as JobSpec[];
        const [accepted] = await acceptJobs(database, [{ userId, correlationId: 'turns', specs }]);
        if (accepted?.kind !== 'accepted') throw new Error('not accepted');
        ids.push(...accepted.jobs.map(({ id }) => id));
      }
      await database.query(AGE_JOBS);
      await database.query(AGE_CHANGES);
      return ids;
    },
    /** What the next message leads to. */
    deliver: async (): Promise<Claim & { id: string }> => {
      const next = await held.next();
      const { job_id: id, attempt } = next.delivery.envelope.data as { job_id: string; attempt: number };
      const answer = await claim(id, attempt);
      next.end({ kind: 'ack' });
      return { ...answer, id };
    },
    /** Ends a run that had a slot for so long. */
    complete: async (run: ClaimedJob, slotMs = 0): Promise<void> => {
      await database.query(RUN_SINCE, [run.id, slotMs]);
      const transition = settle(run, { kind: 'completed' }, POLICY, 0);
      await settleJobs(database, [{ run, transition }]);
    },
    depth: () => queue.depth(SCRAPE_JOBS),
    stop: async () => {
      held.release();
      await consumer.stop();
      await queue.stop();
      await database.stop();
      await testDatabase.drop();
    },
  };
}

export type Stage = Awaited<ReturnType<typeof createStage>>;

interface Held {
  delivery: Delivery;
  end(outcome: HandlerOutcome): void;
}

/** Holds each delivery until the test has decided. */
function createHolder() {
  const deliveries: Held[] = [];
  let taker: ((held: Held) => void) | undefined;
  let released = false;
  return {
    hold: (delivery: Delivery) =>
      new Promise<HandlerOutcome>((end) => {
        if (released) return end({ kind: 'ack' });
        const held = { delivery, end };
        if (!taker) return void deliveries.push(held);
        taker(held);
        taker = undefined;
      }),
    next: () =>
      new Promise<Held>((resolve) => {
        const first = deliveries.shift();
        if (first) resolve(first);
        else taker = resolve;
      }),
    release: () => {
      released = true;
      for (const { end } of deliveries) end({ kind: 'ack' });
    },
  };
}

async function openQueue(driver: 'rabbitmq' | 'embedded', databaseUrl: string): Promise<Queue> {
  const options = { topology: TOPOLOGY, logger: silentLogger };
  const queue =
    driver === 'embedded'
      ? createEmbeddedQueue({ ...options, databaseUrl, leaseMs: 60_000 })
      : createRabbitQueue({
          ...options,
          url: (await createVhost()).url,
          heartbeatSeconds: 15,
          connectionTimeoutMs: 5000,
          connectionName: 'turns',
        });
  await queue.start();
  return queue;
}

const ADD_USER = statement(
  'test_add_user',
  `INSERT INTO users (email, name, role, limits, fair_share_weight)
   VALUES ($1, $1, 'member', jsonb_build_object('max_running_jobs', $2::int), $3) RETURNING id`,
);
const SET_LIMIT = statement(
  'test_set_limit',
  "UPDATE users SET limits = jsonb_build_object('max_running_jobs', $2::int) WHERE id = $1",
);
const AGE_JOBS = statement(
  'test_age_jobs',
  "UPDATE jobs SET created_at = created_at - interval '1 s' WHERE created_at > now() - interval '1 s'",
);
const AGE_CHANGES = statement('test_age_changes', 'UPDATE turn_changes SET due_at = now()');
const RUN_SINCE = statement(
  'test_run_since',
  "UPDATE jobs SET attempt_started_at = now() - $2::float8 * interval '1 ms' WHERE id = $1",
);
