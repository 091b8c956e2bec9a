import type { Database, Sql } from '../../../db/connect.ts';
import type { Queue } from '../../../queue/queue.ts';
import { SCRAPE_JOBS } from '../../../queue/topology.ts';

/**
 * Moments at which a process can be made to die or to stand still. The harness failpoints one over IPC; the next time the process comes by,
 * it happens. SIGKILL by its own hand, so that not one instruction more is run.
 */
export type Moment =
  | 'claimed'
  | 'stored'
  | 'storing'
  | 'before_settle'
  | 'settled'
  | 'before_publish'
  | 'published';
export type Failpoint = { moment: Moment; signal: 'SIGKILL' | 'SIGSTOP'; afterMs: number };

export interface Failpoints {
  /** Comes by a moment. Resolves at once, or never. */
  passes(moment: Moment): Promise<void>;
}

export function listenForFailpoints(): Failpoints {
  let armed: Failpoint | undefined;
  process.on('message', (message: { arm?: Failpoint | null }) => {
    if (message.arm !== undefined) armed = message.arm ?? undefined;
  });
  return {
    passes: async (moment) => {
      if (armed?.moment !== moment) return;
      const { signal, afterMs } = armed;
      armed = undefined;
      // What was handed to the socket before may still leave, as it may on any machine that dies a moment later.
      if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
      process.kill(process.pid, signal);
    },
  };
}

/** The database as it is, with the moments of a worker's life on the way. */
export function withMoments(database: Database, failpoints: Failpoints): Database {
  const query: Database['query'] = async (statement, values) => {
    if (statement.name === 'settle_jobs') await failpoints.passes('before_settle');
    const rows = await database.query<never>(statement, values);
    if (statement.name === 'settle_jobs') await failpoints.passes('settled');
    if (statement.name === 'claim_jobs') await failpoints.passes('claimed');
    return rows;
  };
  const transaction: Database['transaction'] = (work) =>
    database.transaction((sql) => {
      const inside: Sql['query'] = async (statement, values) => {
        const rows = await sql.query<never>(statement, values);
        // Between the write and its commit, with the job's row locked.
        if (statement.name === 'store_pages') await failpoints.passes('storing');
        return rows;
      };
      return work({ query: inside });
    });
  return { ...database, query, transaction };
}

/** The queue as it is, with the moments of an API process between commit and publish, and publish and mark. */
export const withPublishMoments = (queue: Queue, failpoints: Failpoints): Queue => ({
  ...queue,
  publish: async (messages) => {
    const jobs = messages.some(({ routingKey }) => routingKey === SCRAPE_JOBS);
    if (jobs) await failpoints.passes('before_publish');
    await queue.publish(messages);
    if (jobs) await failpoints.passes('published');
  },
});
