import type { Database } from './connect.ts';

/**
 * Which process runs the scheduler: at most one holder of an advisory lock at a time. The lock ends
 * with its session, so a killed leader leaves no trace.
 */
export interface Leadership {
  /**
   * True while this process leads. Asks the server; call it about once per second, or leadership is
   * lost.
   */
  hold(): Promise<boolean>;
  release(): Promise<void>;
}

interface Session {
  query(query: { text: string; values?: unknown[] }): Promise<{ rows: Record<string, unknown>[] }>;
  __knex__disposed?: unknown;
}

const SWEEP_LOCK = 4_203_003;
/**
 * A leader that has not renewed for this long has lost leadership: its machine died silently, or it
 * is frozen. The server ends its session by itself; TCP would take two hours to notice.
 */
const SILENT_MS = 10_000;

/** @param lock the caller's own number if several kinds of leader exist */
export function createLeadership(database: Database, lock: number = SWEEP_LOCK): Leadership {
  const pool = database.knex.client;
  let session: Session | undefined;

  const drop = async (error?: unknown) => {
    const dropped = session;
    session = undefined;
    if (!dropped) return;
    if (error) dropped.__knex__disposed ??= error;
    await pool.releaseConnection(dropped);
  };
  const ask = async (text: string): Promise<boolean> => {
    const result = await session?.query({ text, values: [lock] });
    return result?.rows[0]?.held === true;
  };

  return {
    hold: async () => {
      try {
        if (session) {
          // The lock lives and dies with the session: an answer is proof enough.
          await session.query({ text: 'SELECT 1' });
          return true;
        }
        session = (await pool.acquireConnection()) as Session;
        if (await ask('SELECT pg_try_advisory_lock($1) AS held')) {
          await session.query({ text: `SET idle_session_timeout = '${SILENT_MS}ms'` });
          return true;
        }
        await drop();
        return false;
      } catch (error) {
        await drop(error);
        throw error;
      }
    },
    release: async () => {
      try {
        await session?.query({ text: 'RESET idle_session_timeout' });
        await ask('SELECT pg_advisory_unlock($1) AS held');
        await drop();
      } catch (error) {
        await drop(error);
      }
    },
  };
}
