import { randomUUID } from 'node:crypto';
import { connect as connectBroker } from 'amqplib';
import pg from 'pg';
import { uuidv7 } from '../../runtime/ids.ts';
import { JOB } from '../job.ts';
import { now } from '../measure.ts';
import { serve } from './serve.ts';

/** The ceilings without HTTP: what the database and the broker give a Node process that does nothing else. */
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 32 });
const { rows } = await pool.query<{ id: string }>('SELECT id FROM users LIMIT 1');
const userId = rows[0]?.id;

const INSERT_ROWS = `
  INSERT INTO jobs (id, user_id, status, priority, max_attempts, spec, correlation_id, run_at)
  SELECT id, $2, 'queued', 0, 3, $3, $4, now() FROM unnest($1::uuid[]) AS j (id)`;
const insertRows = (count: number) =>
  pool.query({
    name: 'insert_rows',
    text: INSERT_ROWS,
    values: [Array.from({ length: count }, () => uuidv7()), userId, JSON.stringify(JOB), randomUUID()],
  });

serve({
  /** Rows per second, that many per statement, on 32 connections at once. */
  inserts: ({ ms, rowsEach }: { ms: number; rowsEach: number }) =>
    rate(ms, 32, async () => {
      await insertRows(rowsEach);
      return rowsEach;
    }),
  /**
   * Persistent, confirmed messages of a scrape job's size to a quorum queue, at most 256
   * unconfirmed.
   */
  publishes: async ({ ms }: { ms: number }) => {
    const connection = await connectBroker(String(process.env.RABBITMQ_URL));
    const channel = await connection.createConfirmChannel();
    const queue = `ceiling-${randomUUID()}`;
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    const body = Buffer.alloc(450, 'x');
    const publish = () =>
      new Promise<number>((resolve, reject) => {
        channel.sendToQueue(queue, body, { persistent: true, messageId: randomUUID() }, (error) =>
          error ? reject(error) : resolve(1),
        );
      });
    const result = await rate(ms, 256, publish);
    await channel.deleteQueue(queue);
    await connection.close();
    return result;
  },
  /**
   * Messages per second through a quorum queue: published with confirms, at most 256 unconfirmed,
   * and consumed 100 at a time.
   */
  carries: async ({ count }: { count: number }) => {
    const connection = await connectBroker(String(process.env.RABBITMQ_URL));
    const publishing = await connection.createConfirmChannel();
    const consuming = await connection.createChannel();
    const queue = `ceiling-${randomUUID()}`;
    await publishing.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await consuming.prefetch(100);
    const begin = now();
    let taken = 0;
    const all = new Promise<void>((resolve) => {
      void consuming.consume(queue, (message) => {
        if (!message) return;
        consuming.ack(message);
        taken += 1;
        if (taken === count) resolve();
      });
    });
    const body = Buffer.alloc(450, 'x');
    let sent = 0;
    const worker = async () => {
      while (sent < count) {
        sent += 1;
        await new Promise<void>((resolve, reject) => {
          publishing.sendToQueue(queue, body, { persistent: true, messageId: randomUUID() }, (error) =>
            error ? reject(error) : resolve(),
          );
        });
      }
    };
    await Promise.all([all, ...Array.from({ length: 256 }, worker)]);
    const perSecond = (count * 1000) / (now() - begin);
    await publishing.deleteQueue(queue);
    await connection.close();
    return { perSecond };
  },
});

async function rate(
  ms: number,
  concurrency: number,
  work: () => Promise<number>,
): Promise<{ perSecond: number }> {
  const begin = now();
  let done = 0;
  const worker = async () => {
    while (now() < begin + ms) {
      // Not `done += await …`: that reads `done` before it waits, and concurrent loops overwrite
      // each other.
      const finished = await work();
      done += finished;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { perSecond: (done * 1000) / (now() - begin) };
}

process.on('SIGTERM', () => process.exit(0));
process.send?.({ type: 'ready' });
