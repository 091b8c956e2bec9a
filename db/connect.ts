import createKnex, { type Knex } from 'knex';
import type { Logger } from '../runtime/log/logger.ts';
import { poolAddress } from '../runtime/postgres/postgres-connection.ts';
import { NO_SECRETS, type SecretBox } from '../runtime/secrets/secret-box.ts';
import { type Listening, startListening } from './listen.ts';
import { type Statement, statement } from './statement.ts';

/**
 * A FROM item that lets the commit of its statement return before the disk write (about 1 ms each).
 * For changes that a crash of Postgres may undo without harm, because they are detected and
 * repeated: a claim (the message is redelivered, and the fence rejects the lost holder), a dispatch
 * mark, a heartbeat. A later synchronous commit makes all earlier ones durable too.
 */
export const ASYNC_COMMIT = `(SELECT set_config('synchronous_commit', 'off', true)) AS async_commit`;

/** What statements run on: the pool, or one transaction. */
export interface Sql {
  query<Row = Record<string, unknown>>(statement: Statement, values?: unknown[]): Promise<Row[]>;
  /** Encrypts and decrypts the columns that hold secrets. */
  readonly secrets: SecretBox;
}

export interface Database extends Sql {
  /** Commits what `work` did if it resolves and rolls it back if it rejects. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** The pool, for what needs a connection of its own, and for statements that are not prepared. */
  knex: Knex;
  /** Calls back with each notification of a channel, on a connection beside the pool's. */
  listen(channel: string, onNotification: (payload: string) => void): Listening;
  stop(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  poolSize: number;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  logger: Logger;
  /** Longest a statement may run on the server, in milliseconds; 0 for no limit. */
  statementTimeoutMs?: number;
  /** Default: a process that handles no secrets. */
  secrets?: SecretBox;
}

/** The part of pg's client used here; knex keeps the pool and this is what its pool holds. */
interface Connection {
  query(query: { name?: string; text: string; values?: unknown[] }): Promise<{ rows: unknown[] }>;
  end(): Promise<void>;
  /** knex's own mark: a connection that carries it is not used again. */
  __knex__disposed?: unknown;
}

/**
 * Planner settings of every connection: nested loops over indexes, planned once without the values.
 *
 * A connection keeps its plans, and most are first made on tables that are empty or small. There the
 * planner's own choice is to read a table whole, or to hash or merge it, and the plan stays when the
 * table has grown. Number of statements, of 177, that read a growing table whole on an empty
 * database, with 2,000 jobs and with 20,000 (after ANALYZE):
 *
 *     planner's own choice          29  15  10  (settle, lease renewal, claims, host permits, pruning)
 *     enable_seqscan = off alone     7   5   3  (a merge or hash join reads an index whole instead)
 *     these settings                 2   2   2  (the admins' lists of all users and of all keys)
 *
 * With them, a settle of a young table costs 0.2 ms of processor time instead of 1.1. Per statement
 * they cannot be set: that would need a transaction with two more round trips. `plan_cache_mode`:
 * planning a claim for each call takes 0.4 ms, running it 0.1.
 *
 * They could hide a statement without an index; test/integration/db/explain.test.ts fails on it.
 */
export const INDEX_PLANS = `SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
  SET plan_cache_mode = force_generic_plan`;

export function connect(options: DatabaseOptions): Database {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  // Once connected, not as parameters of the start: PgBouncer knows only a few of those.
  const settings = `${INDEX_PLANS}; SET statement_timeout = ${statementTimeoutMs};
    -- A worker that hangs between two statements holds its job's row; a cancel would wait for it.
    SET idle_in_transaction_session_timeout = 10000`;
  const prepare = (connection: Connection, done: (error: unknown, connection: Connection) => void) => {
    connection.query({ text: settings }).then(
      () => done(null, connection),
      (error) => {
        // knex does not close a connection whose `afterCreate` failed.
        connection.end().catch(() => {});
        done(error, connection);
      },
    );
  };
  const { Client, ...address } = poolAddress(options.url);
  const knex = createKnex({
    client: 'pg',
    connection: {
      ...address,
      application_name: options.applicationName,
      keepAlive: true,
      // The server's limit cannot fire over a connection that died silently; the client's does.
      query_timeout: statementTimeoutMs && statementTimeoutMs + 5000,
    },
    pool: { min: 0, max: options.poolSize, idleTimeoutMillis: 30_000, afterCreate: prepare },
    acquireConnectionTimeout: 5000,
    log: {
      warn: (message: unknown) => options.logger.warn('database_warning', { message }),
      error: (message: unknown) => options.logger.error('database_error', { message }),
    },
  });

  // knex opens its connections through this.
  knex.client.driver = { Client };

  const withConnection = async <T>(use: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection: Connection = await knex.client.acquireConnection();
    try {
      return await use(connection);
    } catch (error) {
      // No SQLSTATE means that the server did not answer: the state of the connection is unknown.
      if (!isSqlError(error)) connection.__knex__disposed ??= error;
      throw error;
    } finally {
      await knex.client.releaseConnection(connection);
    }
  };
  const run = async <Row>(connection: Connection, { name, text }: Statement, values: unknown[] = []) =>
    (await connection.query({ name, text, values })).rows as Row[];

  const { secrets = NO_SECRETS } = options;
  return {
    knex,
    secrets,
    query: (sql, values) => withConnection((connection) => run(connection, sql, values)),
    transaction: (work) =>
      withConnection(async (connection) => {
        await connection.query({ text: 'BEGIN' });
        try {
          const result = await work({ query: (sql, values) => run(connection, sql, values), secrets });
          await connection.query({ text: 'COMMIT' });
          return result;
        } catch (error) {
          await connection.query({ text: 'ROLLBACK' }).catch((rollbackError) => {
            connection.__knex__disposed ??= rollbackError;
          });
          throw error;
        }
      }),
    listen: (channel, onNotification) =>
      startListening({
        open: () => new Client({ ...address, application_name: options.applicationName, keepAlive: true }),
        ...{ channel, onNotification, logger: options.logger },
      }),
    stop: () => knex.destroy(),
  };
}

/** Rejects if the server does not answer. */
export const ping = (sql: Sql): Promise<unknown> => sql.query(PING);
const PING = statement('ping', 'SELECT 1');

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

const isSqlError = (error: unknown): boolean =>
  /^[0-9A-Z]{5}$/.test(codeOf(error)) && !/^E[A-Z]{4}$/.test(codeOf(error));

/**
 * SQLSTATEs of an unavailable server: connection, shutdown, start-up, too many clients, disk or
 * memory full, read only;
 * and of a statement that waited too long, for a lock or for itself.
 */
const UNAVAILABLE_STATE = /^(08...|57P0[1-5]|57014|53...|55P03|58030|25006|25P03)$/;
const UNAVAILABLE_CODE =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ENOENT|EHOSTUNREACH|ENETUNREACH)$/;
const UNAVAILABLE_MESSAGE =
  /connection terminated|timeout (expired|acquiring)|read timeout|client has encountered a connection error|not queryable|unable to acquire a connection/i;

/** True if the statement may succeed later: the statement is fine, the database is unavailable. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  if (UNAVAILABLE_STATE.test(code) || UNAVAILABLE_CODE.test(code)) return true;
  return error instanceof Error && !isSqlError(error) && UNAVAILABLE_MESSAGE.test(error.message);
}

/** 40001 and 40P01: the statement lost a race against another one and can be run again. */
export const isSerializationFailure = (error: unknown): boolean => /^40(001|P01)$/.test(codeOf(error));
