import type { Database, Sql } from '../../../db/connect.ts';
import type { Queue } from '../../../queue/queue.ts';
import { SCRAPE_JOBS } from '../../../queue/topology.ts';

/**
 * Failpoints: moments at which a process can be killed or frozen. The harness arms one over IPC; it
 * fires the next time the process reaches it. The process sends itself SIGKILL, so that not one
 * more instruction runs.
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
  /** Reaches a moment. Resolves at once, or never. */
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
      // Data written to the socket before may still leave, as on any machine that dies a moment
      // later.
      if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
      process.kill(process.pid, signal);
    },
  };
}

/** The database with the failpoints of a worker. */
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
      return work({ ...sql, query: inside });
    });
  return { ...database, query, transaction };
}

/**
 * The queue with the failpoints of an API process: between commit and publish, and between publish
 * and mark.
 */
export const withPublishMoments = (queue: Queue, failpoints: Failpoints): Queue => ({
  ...queue,
  publish: async (messages) => {
    const jobs = messages.some(({ routingKey }) => routingKey === SCRAPE_JOBS);
    if (jobs) await failpoints.passes('before_publish');
    await queue.publish(messages);
    if (jobs) await failpoints.passes('published');
  },
});
