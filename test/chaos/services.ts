import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startReaper } from '../support/processes/reaper.mjs';
import { startRabbitmq } from '../support/servers/rabbitmq.mjs';
import {
  type Driver,
  type Installation,
  type InstallationOptions,
  startInstallation,
} from './installation.ts';
import { startChaosPostgres } from './postgres.ts';

export type Shape = Pick<
  InstallationOptions,
  'apis' | 'workers' | 'browserWorkers' | 'notifiers' | 'slots' | 'leaseMs' | 'env' | 'build'
>;

/**
 * A Postgres and, for a fleet, a RabbitMQ of the run's own, and the installations that `work`
 * starts on them. Everything is removed when it returns; after a violation the logs of the
 * processes are kept.
 */
export async function withServices<T extends { violations: unknown[] }>(
  driver: Driver,
  work: (start: (shape: Shape) => Promise<Installation>) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'leadengine-chaos-'));
  const reaper = startReaper();
  const broker = driver === 'fleet' ? await startRabbitmq() : undefined;
  const postgres = await startChaosPostgres(folder, reaper);
  const installations: Installation[] = [];
  let begun = 0;
  let keep = true;
  try {
    const result = await work(async (shape) => {
      // Several may be started at the same time.
      begun += 1;
      const number = begun;
      const installation = await startInstallation({
        ...{ driver, reaper, postgres, broker, ...shape },
        brokerUrl: broker?.url ?? '',
        folder: join(folder, `installation-${number}`),
        database: `chaos_${number}`,
      });
      installations.push(installation);
      return installation;
    });
    keep = result.violations.length > 0;
    return result;
  } finally {
    await Promise.all(installations.map((installation) => installation.stop()));
    await broker?.close();
    await postgres.close();
    reaper.end();
    if (keep) process.stderr.write(`the logs are in ${folder}\n`);
    else await rm(folder, { recursive: true, force: true });
  }
}
