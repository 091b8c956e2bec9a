import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Logger } from '../runtime/log/logger.ts';
import { type Cluster, openCluster } from './embedded-postgres/cluster.ts';
import { EmbeddedPostgresError } from './embedded-postgres/error.ts';
import { claim, isPassing, LOCAL, ownerOf } from './embedded-postgres/ownership.ts';
import {
  findPostmaster,
  freePort,
  logTail,
  pause,
  signal,
  spawnPostmaster,
  stopPostmaster,
} from './embedded-postgres/postmaster.ts';
import { startReaper, startReaperWhileStarting } from './embedded-postgres/reaper.ts';

export interface EmbeddedPostgres {
  /**
   * URL of the database `leadengine` for a role that is no superuser. Constant while this server
   * runs.
   */
  url: string;
  /** Ends all sessions and stops the server. Idempotent. */
  stop(): Promise<void>;
  /** Signals the server to stop without waiting: for a process that must exit at once. */
  letGo(): void;
}

export interface EmbeddedPostgresOptions {
  dataDir: string;
  logger: Logger;
  /** Called if the server died and could not be restarted. */
  onLost?: (error: Error) => void;
  /** Seconds the server outlives an owner that was killed; default 45. */
  lingerSeconds?: number;
  /** Server settings that override ours. */
  settings?: Record<string, string>;
}

/**
 * A real Postgres with its files under `dataDir`, on a free port of 127.0.0.1. Starts a server, or
 * takes over the one that a killed owner left running; restarts it if it dies. After its owner is
 * killed, the server runs on for a while so that the next owner can take it over, and then stops.
 *
 * @throws EmbeddedPostgresError whose message says what is wrong and what to do, for example that
 * another owner uses the folder
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, logger, lingerSeconds = LINGER_SECONDS } = options;
  const cluster = await openCluster(dataDir);
  let server = await own(cluster, options);
  let stopReaper = () => {};
  try {
    await ensureDatabase(server.session);
    await publishUrl(dataDir, urlOf(server.port, cluster.password));
    stopReaper = await startReaper(dataDir, server.pid, lingerSeconds);
  } catch (error) {
    await stopPostmaster(cluster.dir, server.pid);
    throw error;
  } finally {
    server.stopStartReaper();
  }
  logger.info('embedded_postgres_started', {
    port: server.port,
    pid: server.pid,
    taken_over: server.takenOver,
  });

  let stopped: Promise<void> | undefined;
  let recovery: Promise<void> | undefined;
  const bringBackWhenLost = () => {
    server.session.once('end', () => {
      if (!stopped) recovery = bringBack();
    });
  };
  const bringBack = async () => {
    logger.error('embedded_postgres_lost', { pid: server.pid });
    try {
      // On the same port: the other processes know no other.
      server = await own(cluster, { ...options, port: server.port, isGivenUp: () => stopped !== undefined });
      bringBackWhenLost();
      logger.warn('embedded_postgres_recovered', { pid: server.pid });
      stopReaper();
      stopReaper = await startReaper(dataDir, server.pid, lingerSeconds);
      server.stopStartReaper();
    } catch (error) {
      if (stopped) return;
      logger.error('embedded_postgres_not_recovered', { error });
      options.onLost?.(error as Error);
    }
  };
  bringBackWhenLost();

  const stop = async () => {
    // A restart under way is cancelled first, so that the server does not come up after the stop.
    await recovery;
    await rm(join(dataDir, URL_FILE), { force: true });
    stopReaper();
    // Read from disk, not from memory: the server may just have been restarted after a crash.
    const postmaster = await findPostmaster(cluster.dir);
    if (postmaster && !(await stopPostmaster(cluster.dir, postmaster.pid))) {
      throw new EmbeddedPostgresError(
        `Postgres (pid ${postmaster.pid}) does not stop; see ${cluster.logFile}`,
      );
    }
    await server.session.end().catch(() => {});
    logger.info('embedded_postgres_stopped');
  };
  return {
    url: urlOf(server.port, cluster.password),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
    letGo: () => {
      if (stopped) return;
      stopped = Promise.resolve();
      signal(server.pid, 'SIGINT');
      stopReaper();
    },
  };
}

/**
 * URL of the Postgres of the LeadEngine that runs on `dataDir`, for another process on this
 * machine.
 *
 * @throws EmbeddedPostgresError if none runs
 */
export async function embeddedPostgresUrl(dataDir: string): Promise<string> {
  const url = await readFile(join(dataDir, URL_FILE), 'utf8').catch(() => '');
  if (!(await isOwned(url.trim()))) {
    throw new EmbeddedPostgresError(
      `there is no DATABASE_URL, and no LeadEngine is running on ${dataDir}: run \`npm start\`, or set DATABASE_URL`,
    );
  }
  return url.trim();
}

/**
 * Longer than the default SHUTDOWN_GRACE_MS: workers without a supervisor can still release their
 * jobs.
 */
const LINGER_SECONDS = 45;
const URL_FILE = 'database-url';
const ROLE = 'leadengine';

interface OwnedServer {
  session: pg.Client;
  pid: number;
  port: number;
  takenOver: boolean;
  /**
   * Until the long-lived reaper of the server exists, this one stops the server if its starter is
   * killed.
   */
  stopStartReaper(): void;
}

/** Longest wait for a server that starts, recovers from a crash, or stops for a predecessor. */
const READY_MS = 120_000;
/**
 * Transient start failures: the port was taken meanwhile, another start came first, or processes of
 * a killed server are not all gone yet.
 */
const PASSING_REFUSAL =
  /address already in use|could not bind|lock file "postmaster\.pid" already exists|lock file .* is empty|shared memory block .* is still in use/i;
const REFUSED_MS = 30_000;

/** Becomes the owner of a running server: one found without an owner, or one started here. */
async function own(cluster: Cluster, options: OwnOptions): Promise<OwnedServer> {
  const { dataDir, settings = {}, port, isGivenUp = () => false } = options;
  const begun = Date.now();
  let spawned: Awaited<ReturnType<typeof spawnPostmaster>> | undefined;
  let stopStartReaper = () => {};
  const refuse = (error: EmbeddedPostgresError): never => {
    stopStartReaper();
    throw error;
  };
  for (;;) {
    const running = await findPostmaster(cluster.dir);
    const ended = spawned ? hasEnded(spawned.child) : true;
    if (running?.port) {
      const claimed = await claim(running.port, cluster.password).catch((error) => {
        return refuse(unusable(cluster, running.pid, error));
      });
      if (claimed.kind === 'owned') return refuse(anotherRunning(dataDir, claimed.byPid));
      if (claimed.kind === 'owner') {
        const takenOver = spawned?.child.pid !== running.pid;
        const { session } = claimed;
        return { session, pid: running.pid, port: running.port, takenOver, stopStartReaper };
      }
    } else if (!running && ended) {
      const said = spawned ? await logTail(cluster, spawned.logBegin) : '';
      const passing = PASSING_REFUSAL.test(said) && Date.now() - begun < REFUSED_MS;
      if (spawned && !passing) return refuse(notStarting(cluster, said));
      if (spawned) await pause(100);
      stopStartReaper();
      const reaper = startReaperWhileStarting();
      stopStartReaper = reaper.stop;
      spawned = await spawnPostmaster(cluster, port ?? (await freePort()), settings, reaper.watch);
    }
    if (isGivenUp() || Date.now() - begun > READY_MS) {
      const said = await logTail(cluster, spawned?.logBegin ?? 0);
      if (spawned && !hasEnded(spawned.child)) await endChild(spawned.child);
      return refuse(notStarting(cluster, said));
    }
    await pause(20);
  }
}

interface OwnOptions extends EmbeddedPostgresOptions {
  /** If set, only this port is used. */
  port?: number;
  /** Polled; once true, the started server is stopped and the attempt rejects. */
  isGivenUp?: () => boolean;
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function endChild(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.ref();
  child.kill('SIGINT');
  await ended;
}

/**
 * Creates the database and its role on the first start of the cluster, or after a first start that
 * was killed before this.
 */
async function ensureDatabase(session: pg.Client): Promise<void> {
  const { rows } = await session.query<{ role: boolean; database: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS role,
            EXISTS (SELECT FROM pg_database WHERE datname = $1) AS database`,
    [ROLE],
  );
  // The same password as the superuser's: a process that can read one can read the other.
  const password = session.escapeLiteral(String(session.password));
  if (!rows[0]?.role) await session.query(`CREATE ROLE ${ROLE} LOGIN CREATEDB PASSWORD ${password}`);
  if (!rows[0]?.database) await session.query(`CREATE DATABASE ${ROLE} OWNER ${ROLE}`);
}

const urlOf = (port: number, password: string): string =>
  `postgres://${ROLE}:${encodeURIComponent(password)}@127.0.0.1:${port}/${ROLE}?sslmode=disable`;

/**
 * Written to a temporary file and renamed: a reader sees the old address or the new one, never half
 * of it.
 */
async function publishUrl(dataDir: string, url: string): Promise<void> {
  const aside = join(dataDir, `${URL_FILE}.${randomUUID()}`);
  await writeFile(aside, `${url}\n`, { mode: 0o600 });
  await rename(aside, join(dataDir, URL_FILE));
}

/**
 * The address may be that of a dead server; another program may use its port now, and rejects the
 * password.
 */
async function isOwned(url: string): Promise<boolean> {
  if (!url) return false;
  const deadline = Date.now() + REFUSED_MS;
  for (;;) {
    const session = new pg.Client({ ...LOCAL, connectionString: url });
    session.on('error', () => {});
    try {
      await session.connect();
      return (await ownerOf(session)) !== undefined;
    } catch (error) {
      const starting = (error as { code?: string }).code === '57P03';
      if (!starting || !isPassing(error) || Date.now() > deadline) return false;
      await pause(100);
    } finally {
      await session.end().catch(() => {});
    }
  }
}

const anotherRunning = (dataDir: string, pid: number | undefined) =>
  new EmbeddedPostgresError(
    `another LeadEngine is running on ${dataDir}${pid ? ` (pid ${pid})` : ''}: stop it, or set DATA_DIR to another folder`,
  );

const notStarting = (cluster: Cluster, said: string) =>
  new EmbeddedPostgresError(
    `Postgres does not start on ${cluster.dir}; the end of ${cluster.logFile}:\n${said}`,
  );

const unusable = (cluster: Cluster, pid: number, cause: unknown) =>
  new EmbeddedPostgresError(
    `the Postgres that runs on ${cluster.dir} (pid ${pid}) cannot be used: ${cause instanceof Error ? cause.message : cause}`,
    { cause },
  );
