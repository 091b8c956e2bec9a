import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../db/embedded-postgres.ts';
import { migrate } from '../../../db/migrate.ts';
import { createEmbeddedQueue } from '../../../queue/embedded.ts';
import { type Logger, silentLogger } from '../../../runtime/log/logger.ts';
import { createTestDatabase } from '../../support/database.ts';
import { waitFor } from '../../support/wait-for.ts';
import { describeQueue } from './conformance.ts';
import {
  collector,
  holder,
  LEASE_MS,
  type QueueHarness,
  TEST_TOPOLOGY,
  useFixture,
  WORK,
  workMessage,
  workMessages,
} from './conformance-fixture.ts';

const createQueue = (databaseUrl: string, topology = TEST_TOPOLOGY, leaseMs = LEASE_MS) =>
  createEmbeddedQueue({ databaseUrl, topology, leaseMs, logger: silentLogger });

const harness: QueueHarness = {
  driver: 'embedded',
  open: async () => {
    const database = await createTestDatabase();
    return { url: database.url, close: database.drop };
  },
  openPrivate: async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'leadengine-queue-test-'));
    const pids: number[] = [];
    const postgres = await startEmbeddedPostgres({ dataDir, logger: pidsInto(pids) });
    await migrate({ url: postgres.url, applicationName: 'queue test' });
    return {
      url: postgres.url,
      close: async () => {
        await postgres.stop();
        await rm(dataDir, { recursive: true, force: true });
      },
      // As in a crash: it ends at once, and its owner restarts it on the same port.
      restart: async () => {
        const known = pids.length;
        process.kill(Number(pids.at(-1)), 'SIGQUIT');
        await waitFor(() => pids.length > known, { what: 'Postgres to be back' });
      },
    };
  },
  createQueue,
  publishRaw: async (url, queue, body) => {
    await query(url, 'INSERT INTO queue.messages (queue, body) VALUES ($1, $2)', [queue, body]);
  },
};

describeQueue('Postgres', harness);

describe('Postgres alone', () => {
  const fixture = useFixture(harness);

  test('a frozen process loses its messages when its lease ends, and learns of it', async () => {
    const { url } = await fixture.open();
    const queue = await fixture.start(url);
    const child = await fixture.startChild(url, { prefetch: 1, leaseMs: 1500 });
    const message = workMessage();
    await queue.publish([message]);
    await waitFor(() => child.got().length === 1, { what: 'the child to have the message' });

    child.signal('SIGSTOP');
    const { handler, deliveries } = collector();
    await queue.consume(WORK, { prefetch: 1 }, handler);

    await waitFor(() => deliveries.length === 1, { what: 'the redelivery' });
    expect(deliveries[0]?.redelivered).toBe(true);
    child.signal('SIGCONT');
    await waitFor(() => child.lost().length === 1, { what: 'the child to learn that it lost the message' });
  });

  test('an acknowledgement has no effect on a message that another session holds', async () => {
    const { url } = await fixture.open();
    const queue = await fixture.start(url);
    const { handler, held, letGo } = holder();
    await queue.publish([workMessage()]);
    await queue.consume(WORK, { prefetch: 1 }, handler);
    await waitFor(() => held.length === 1);
    await fixture.start(url);
    await query(url, 'UPDATE queue.messages SET holder = (SELECT max(id) FROM queue.sessions)', []);

    letGo();
    await queue.stop();

    expect(await query(url, 'SELECT queue, deliveries FROM queue.messages', [])).toEqual([
      { queue: WORK, deliveries: 1 },
    ]);
  });

  test('an acknowledgement of a lost session does not take those of the next one with it', async () => {
    const { url } = await fixture.open();
    const queue = await fixture.start(url);
    const { handler, held, letGo } = holder();
    await queue.publish([workMessage()]);
    await queue.consume(WORK, { prefetch: 2 }, handler);
    await waitFor(() => held.length === 1, { what: 'the delivery' });
    await query(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'leadengine-queue-session'`,
      [],
    );
    await waitFor(() => held.length === 2, { what: 'the redelivery to the next session' });

    letGo();

    const left = () => query(url, 'SELECT id FROM queue.messages', []);
    await waitFor(async () => (await left()).length === 0, { what: 'the message to be acknowledged' });
  });

  test('a queue can be stopped while it is still connecting', async () => {
    const { url } = await fixture.open();
    const queue = fixture.createQueue(url);
    const started = queue.start();
    await queue.stop();
    await started;
    expect(queue.health()).toEqual({ healthy: false, driver: 'embedded', reason: 'stopped' });
  });

  test('an idle or stopped process leaves neither messages nor sessions behind', async () => {
    const { url } = await fixture.open();
    const queue = await fixture.start(url);
    const { handler, deliveries } = collector();
    await queue.publish(workMessages(10));
    await queue.consume(WORK, { prefetch: 3 }, handler);
    await waitFor(() => deliveries.length === 10);

    await queue.stop();

    const rows = await query(
      url,
      'SELECT (SELECT count(*)::int FROM queue.messages) AS messages, (SELECT count(*)::int FROM queue.sessions) AS sessions',
      [],
    );
    expect(rows).toEqual([{ messages: 0, sessions: 0 }]);
  });

  test('many processes can start on an empty database at once', async () => {
    const { url } = await fixture.open();
    const queues = await Promise.all(Array.from({ length: 8 }, () => fixture.start(url)));
    expect(queues.map((queue) => queue.health().healthy)).toEqual(queues.map(() => true));
  });
});

async function query(url: string, text: string, values: unknown[]): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Finds the pid of the server in its log. */
function pidsInto(pids: number[]): Logger {
  const note = (event: string, fields?: Record<string, unknown>) => {
    if (event === 'embedded_postgres_started' || event === 'embedded_postgres_recovered') {
      pids.push(Number(fields?.pid));
    }
  };
  const logger: Logger = { ...silentLogger, info: note, warn: note, with: () => logger };
  return logger;
}
