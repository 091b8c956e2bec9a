import pg from 'pg';
import type { Logger } from '../../runtime/log/logger.ts';
import { findPostgres } from '../../runtime/postgres/postgres-connection.ts';
import { withTimeout } from '../../runtime/timeout.ts';
import { pause, reconnectDelayMs } from '../reconnect.ts';
import type { Topology } from '../topology.ts';
import { declareTopology } from './declare.ts';
import {
  FORGET_DEAD_SESSIONS,
  FREE_LOST,
  HINT_CHANNEL,
  REGISTER,
  RELEASE,
  RENEW,
  SESSION_LOCK,
} from './statements.ts';

/**
 * One connection that takes and settles all messages of this process, receives hints of new ones,
 * and proves by existing that the process is alive. When it closes, the messages it holds become
 * free: a lost connection is a lost session, as a lost channel is with RabbitMQ.
 */
export interface Session {
  id: number;
  /**
   * Runs statements one at a time. A failure ends the session, because what it holds is then
   * unknown.
   */
  run(statement: { name: string; text: string }, values: unknown[]): Promise<pg.QueryResult>;
  lost: AbortSignal;
}

export interface RecoveringSession {
  /**
   * Resolves when there is a session, or after the first failed attempt; then it keeps retrying.
   */
  start(): Promise<void>;
  /** Releases the messages that the session holds. */
  stop(): Promise<void>;
  readonly current: Session | undefined;
  /** Why there is no session. */
  readonly trouble: string | undefined;
}

export interface SessionOptions {
  databaseUrl: string;
  leaseMs: number;
  topology: Topology;
  logger: Logger;
  /** Called with each new session. */
  onSession(session: Session): void;
  /** Called with a queue that has messages, or without one at each poll of all queues. */
  onHint(queue?: string): void;
}

/**
 * Polls in case a hint is lost: hints are sent after the commit and may be lost with their sender.
 */
const POLL_MS = 500;
const RELEASE_MS = 2000;
/** After a session that lived this long, the next failure restarts the back-off. */
const STEADY_MS = 10_000;

export function createRecoveringSession(options: SessionOptions): RecoveringSession {
  const { logger } = options;
  const stopping = new AbortController();
  let opened: Opened | undefined;
  let trouble: string | undefined = 'not connected yet';
  let failures = 0;
  let running: Promise<void> | undefined;
  let attempted = () => {};
  const firstAttempt = new Promise<void>((resolve) => {
    attempted = resolve;
  });

  const keep = async () => {
    while (!stopping.signal.aborted) {
      const startedAt = Date.now();
      const error = await liveOnce();
      if (stopping.signal.aborted) return;
      if (Date.now() - startedAt > STEADY_MS) failures = 0;
      failures += 1;
      trouble = error.message || String((error as { code?: unknown }).code ?? error.name);
      const retryInMs = Math.round(reconnectDelayMs(failures));
      // One warning per outage; the later failures would only repeat it.
      logger[failures === 1 ? 'warn' : 'debug']('queue_database_away', {
        reason: trouble,
        retry_in_ms: retryInMs,
      });
      attempted();
      await pause(retryInMs, stopping.signal);
    }
  };
  /** Opens a session and waits for its end; resolves with the reason. */
  const liveOnce = async (): Promise<Error> => {
    try {
      opened = await openSession(options);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
    // Stopped while it connected: `stop` has not seen this session.
    if (stopping.signal.aborted) await opened.release();
    trouble = undefined;
    logger.info('queue_session_started', { session: opened.session.id, after_failures: failures });
    attempted();
    options.onSession(opened.session);
    const stopTicking = tick(opened, options);
    const reason = await opened.ended;
    stopTicking();
    opened = undefined;
    return reason;
  };

  return {
    start: () => {
      running ??= keep();
      return firstAttempt;
    },
    stop: async () => {
      stopping.abort();
      await opened?.release();
      await running;
      trouble ??= 'stopped';
      attempted();
    },
    get current() {
      return opened?.session;
    },
    get trouble() {
      return trouble;
    },
  };
}

interface Opened {
  session: Session;
  /** Resolves, once, when the session is over. */
  ended: Promise<Error>;
  lose(reason: Error): void;
  release(): Promise<void>;
}

async function openSession(options: SessionOptions): Promise<Opened> {
  const client = new pg.Client({
    ...(await findPostgres(options.databaseUrl)),
    application_name: 'leadengine-queue-session',
    keepAlive: true,
    // A statement that takes longer than the lease is of no use: others have the messages by then.
    query_timeout: options.leaseMs,
  });
  const lost = new AbortController();
  let end: (reason: Error) => void = () => {};
  const ended = new Promise<Error>((resolve) => {
    end = resolve;
  });
  const lose = (reason: Error) => {
    if (lost.signal.aborted) return;
    lost.abort();
    client.end().catch(() => {});
    end(reason);
  };
  // Before anything else: an `error` without a listener ends the process.
  client.on('error', lose);
  client.on('end', () => lose(new Error('connection closed')));

  let last: Promise<unknown> = Promise.resolve();
  const run: Session['run'] = (statement, values) => {
    const result = last.then(() => {
      if (lost.signal.aborted) throw new Error('the session is lost');
      return client.query({ ...statement, values });
    });
    last = result.catch(lose);
    return result;
  };
  try {
    await client.connect();
    const id = await register(client, options);
    client.on('notification', ({ payload }) => options.onHint(payload));
    const releaseMessages = async () => {
      await last;
      if (!lost.signal.aborted) await client.query({ ...RELEASE, values: [id] });
    };
    const release = async () => {
      // If this fails, the closed connection releases the messages a moment later.
      await withTimeout(releaseMessages(), RELEASE_MS, () => new Error('late')).catch(() => {});
      lose(new Error('stopped'));
    };
    return { session: { id, run, lost: lost.signal }, ended, lose, release };
  } catch (error) {
    lose(new Error('not opened'));
    throw error;
  }
}

/**
 * Acknowledgements need not wait for the disk: one lost in a crash means one more delivery, which
 * idempotent consumers tolerate. The planner must use the indexes, because a plan made while the
 * table was empty would scan all of it once it is full.
 */
const SETTINGS = `
SET synchronous_commit = off;
SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET jit = off`;

async function register(client: pg.Client, { topology, leaseMs }: SessionOptions): Promise<number> {
  await declareTopology(client, topology);
  await client.query(SETTINGS);
  await client.query(`LISTEN ${HINT_CHANNEL}`);
  const { rows } = await client.query<{ id: number }>({ ...REGISTER, values: [SESSION_LOCK, leaseMs] });
  if (!rows[0]) throw new Error('no session was registered');
  return rows[0].id;
}

/**
 * Polls for messages and dead sessions, and renews the lease; returns the function that stops it.
 */
function tick({ session, lose }: Opened, { leaseMs, onHint, logger }: SessionOptions): () => void {
  let renewedAt = Date.now();
  let reapedAt = 0;
  let working = false;

  const work = async () => {
    if (Date.now() - renewedAt >= leaseMs / 3) {
      const { rowCount } = await session.run(RENEW, [session.id, leaseMs]);
      // This process stalled for longer than its lease, and another one declared its session dead.
      if (rowCount === 0) return lose(new Error('the lease of this session ran out'));
      renewedAt = Date.now();
    }
    if (Date.now() - reapedAt >= 2 * POLL_MS) {
      reapedAt = Date.now();
      await session.run(FORGET_DEAD_SESSIONS, [session.id, SESSION_LOCK]);
      const { rows } = await session.run(FREE_LOST, []);
      for (const { queue, messages } of rows) logger.info('messages_freed', { queue, messages });
    }
    onHint();
  };
  const workOnce = () => {
    if (working || session.lost.aborted) return;
    working = true;
    work()
      // The failure ended the session; `createRecoveringSession` logs the reason.
      .catch(() => {})
      .finally(() => {
        working = false;
      });
  };
  const timer = setInterval(workOnce, Math.min(POLL_MS, leaseMs / 3));
  workOnce();
  return () => clearInterval(timer);
}
