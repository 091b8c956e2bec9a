import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectBroker } from 'amqplib';
import { statement } from '../db/statement.ts';
import { SCRAPE_JOBS } from '../queue/topology.ts';
import type { Bench, Driver } from './bench.ts';
import type { Scratch } from './scratch.ts';

/**
 * Removes what an earlier measurement left on the broker. The embedded queue is as new as its
 * database.
 */
export async function purgeQueue({ services }: Bench, driver: Driver, queue = SCRAPE_JOBS): Promise<void> {
  if (driver !== 'rabbitmq') return;
  const connection = await connectBroker(services.rabbitmqUrl);
  const channel = await connection.createChannel();
  // Refused, with the channel closed, if no process has declared it yet.
  channel.on('error', () => {});
  await channel.purgeQueue(queue).catch(() => {});
  await connection.close();
}

/** Of the jobs in the database, how many have been put on the queue. */
export async function countDispatched({ database }: Scratch): Promise<{ jobs: number; dispatched: number }> {
  const [row] = await database.query<{ jobs: number; dispatched: number }>(COUNT);
  return row ?? { jobs: 0, dispatched: 0 };
}

const COUNT = statement(
  'bench_count_dispatched',
  'SELECT count(*)::int AS jobs, count(dispatched_at)::int AS dispatched FROM jobs',
);

/** Waits until the API is idle: every event relayed. Returns how long that took, in ms. */
export async function untilRelayed({ database }: Scratch, limitMs: number): Promise<number> {
  const begin = performance.now();
  while (performance.now() - begin < limitMs) {
    const [row] = await database.query<{ left: boolean }>(EVENTS_LEFT);
    if (!row?.left) break;
    await sleep(50);
  }
  return performance.now() - begin;
}

const EVENTS_LEFT = statement(
  'bench_events_left',
  `
  SELECT EXISTS (SELECT FROM events e, event_cursors c
                 WHERE c.reader = 'relay' AND (e.xid, e.seq) > (c.xid, c.seq)) AS left
  `,
);
