import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startEmbeddedPostgres } from '../../db/embedded-postgres.ts';
import { silentLogger } from '../../runtime/logger.ts';

/** The checkout; this file runs from dist/scripts/bench. */
export const ROOT = join(import.meta.dirname, '..', '..', '..');

/** The servers of one run, started for it and ended with it. */
export interface Services {
  /** Everything the run writes. */
  dir: string;
  /** A role that may make databases. */
  postgresUrl: string;
  rabbitmqUrl: string;
  /** Undefined where Redis is not installed. */
  redisPort: number | undefined;
  stop(): Promise<void>;
}

/** Real servers on free ports with their files in a folder of their own; Postgres and Redis write through to the disk. */
export async function startServices(): Promise<Services> {
  const dir = await mkdtemp(join(tmpdir(), 'leadengine-bench-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of stops.reverse().splice(0)) await end().catch((error) => console.error(error));
  };
  try {
    const postgres = await startEmbeddedPostgres({
      dataDir: join(dir, 'postgres'),
      logger: silentLogger,
      settings: { max_connections: '400' },
    });
    stops.push(() => postgres.stop());
    const broker = await startBroker();
    stops.push(() => broker.close());
    const redis = await startRedis(dir);
    if (redis) stops.push(redis.stop);
    return { dir, postgresUrl: postgres.url, rabbitmqUrl: broker.url, redisPort: redis?.port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The tests' broker: plain JavaScript outside what is compiled. */
async function startBroker(): Promise<{ url: string; close(): Promise<void> }> {
  const file = join(ROOT, 'test', 'support', 'rabbitmq.mjs');
  const { startRabbitmq } = (await import(pathToFileURL(file).href)) as {
    startRabbitmq(): Promise<{ url: string; close(): Promise<void> }>;
  };
  return startRabbitmq();
}

/** For BullMQ, with every write on the disk before it is answered, as with the others. */
async function startRedis(dir: string): Promise<{ port: number; stop(): Promise<void> } | undefined> {
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
