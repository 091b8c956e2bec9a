import pg from 'pg';
import type { Logger } from '../runtime/log/logger.ts';
import { poolAddress } from '../runtime/postgres/postgres-connection.ts';
import { withTimeout } from '../runtime/timeout.ts';
import { createConsumers } from './embedded/consumers.ts';
import { declareQueue } from './embedded/declare.ts';
import { createPublisher } from './embedded/publisher.ts';
import { createRecoveringSession } from './embedded/session.ts';
import { createSettler } from './embedded/settle.ts';
import { COUNT_FREE, PURGE } from './embedded/statements.ts';
import type { Queue } from './queue.ts';
import type { Topology } from './topology.ts';

export interface EmbeddedQueueOptions {
  databaseUrl: string;
  topology: Topology;
  /**
   * How long a machine that vanished keeps its messages. A killed process loses them within about a
   * second.
   */
  leaseMs: number;
  /**
   * Connections besides the session's: two for publishing, one for occasional queries; default 3.
   */
  poolSize?: number;
  logger: Logger;
}

/** A healthy Postgres answers these queries in milliseconds. */
const QUERY_MS = 5000;

/**
 * The queue in Postgres, for an installation without a broker. A session takes and settles messages
 * and listens for new ones; a small pool publishes. Several processes share the same tables.
 */
export function createEmbeddedQueue(options: EmbeddedQueueOptions): Queue {
  const { databaseUrl, leaseMs, logger } = options;
  const topology: Topology = { exchanges: options.topology.exchanges, queues: [...options.topology.queues] };
  const pool = new pg.Pool({
    ...poolAddress(databaseUrl),
    application_name: 'leadengine-queue',
    max: options.poolSize ?? 3,
    keepAlive: true,
    query_timeout: QUERY_MS,
  });
  // An idle connection that breaks is replaced; without a listener it would end the process.
  pool.on('error', (error) => logger.debug('queue_connection_lost', { error }));

  const settler = createSettler(logger);
  const consumers = createConsumers({
    current: () => session.current,
    settle: settler.settle,
    hasDeadLetters: (name) => topology.queues.some((queue) => queue.name === name && queue.deadLetter),
    logger,
  });
  const session = createRecoveringSession({
    databaseUrl,
    leaseMs,
    topology,
    logger,
    onSession: () => consumers.look(),
    onHint: consumers.look,
  });
  const publisher = createPublisher({ pool, topology, onStored: consumers.look });
  let stopping: Promise<void> | undefined;

  const stop = async () => {
    await consumers.stop();
    await publisher.stop();
    await inTime(settler.idle());
    await session.stop();
    // pg waits until the server closes every connection, which a Postgres that hangs never does.
    await inTime(pool.end());
  };

  const inTime = (work: Promise<void>) =>
    withTimeout(work, QUERY_MS, () => new Error('late')).catch((error) =>
      logger.warn('queue_stop_incomplete', { error }),
    );

  return {
    start: () => session.start(),
    publish: publisher.publish,
    consume: async (queue, consumeOptions, handler) => consumers.add(queue, consumeOptions, handler),
    depth: async (queue) => {
      const { rows } = await pool.query<{ messages: number }>({ ...COUNT_FREE, values: [queue] });
      if (!rows[0]) throw new Error(`no queue ${queue}`);
      return rows[0].messages;
    },
    purge: async (queue) => {
      const { rowCount } = await pool.query({ ...PURGE, values: [queue] });
      return rowCount ?? 0;
    },
    declareQueue: async (queue) => {
      await declareQueue(pool, queue, topology);
      if (!topology.queues.some(({ name }) => name === queue.name)) topology.queues.push(queue);
    },
    health: () =>
      session.trouble
        ? { healthy: false, driver: 'embedded', reason: session.trouble }
        : { healthy: true, driver: 'embedded' },
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}
