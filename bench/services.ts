import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startEmbeddedPostgres } from '../db/embedded-postgres.ts';
import { silentLogger } from '../runtime/log/logger.ts';
import { findProcess } from './cpu.ts';

/** The checkout; this file runs from dist/bench. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** The servers of one run, started for it and stopped with it. */
export interface Services {
  /** Everything the run writes. */
  dir: string;
  /** A role that may create databases. */
  postgresUrl: string;
  rabbitmqUrl: string;
  /** Undefined if Redis is not installed. */
  redisPort: number | undefined;
  /** The servers' processes, for their processor time. */
  pids: { postgres: number; broker: number; redis: number };
  stop(): Promise<void>;
}

/**
 * Real servers on free ports with their files in a folder of their own; Postgres and Redis sync to
 * the disk.
 */
export async function startServices({ statements }: { statements: boolean }): Promise<Services> {
  const dir = await mkdtemp(join(tmpdir(), 'leadengine-bench-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  let stopped: Promise<void> | undefined;
  const stopAll = async () => {
    for (const end of stops.reverse()) await end().catch((error) => console.error(error));
  };
  const stop = () => {
    stopped ??= stopAll();
    return stopped;
  };
  try {
    const postgres = await startEmbeddedPostgres({
      dataDir: join(dir, 'postgres'),
      logger: silentLogger,
      settings: { max_connections: '400', ...(statements ? COUNT_STATEMENTS : {}) },
    });
    stops.push(() => postgres.stop());
    const broker = await startBroker();
    stops.push(() => broker.close());
    const redis = await startRedis(dir);
    if (redis) stops.push(redis.stop);
    const pids = {
      postgres: Number(
        (await readFile(join(dir, 'postgres', 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0],
      ),
      broker: findProcess('beam.smp', `RABBITMQ_NODE_PORT=${new URL(broker.url).port}`) ?? 0,
      redis: redis?.pid ?? 0,
    };
    return { dir, postgresUrl: postgres.url, rabbitmqUrl: broker.url, redisPort: redis?.port, pids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const COUNT_STATEMENTS = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track_utility': 'off',
};

/** The tests' broker: plain JavaScript outside what is compiled. */
async function startBroker(): Promise<{ url: string; close(): Promise<void> }> {
  const file = join(ROOT, 'test', 'support', 'servers', 'rabbitmq.mjs');
  const { startRabbitmq } = (await import(pathToFileURL(file).href)) as {
    startRabbitmq(): Promise<{ url: string; close(): Promise<void> }>;
  };
  return startRabbitmq();
}

/** For BullMQ, with every write synced before it is answered, as with the others. */
async function startRedis(
  dir: string,
): Promise<{ port: number; pid: number; stop(): Promise<void> } | undefined> {
  const program = '/usr/bin/redis-server';
  if (!(await exists(program))) return undefined;
  const port = await freePort();
  const child = spawn(
    program,
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''].concat([
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--maxmemory-policy',
      'noeviction',
    ]),
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  process.on('exit', () => child.kill('SIGKILL'));
  await sleep(500);
  return {
    port,
    pid: Number(child.pid),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
