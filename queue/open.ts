import type { Logger } from '../runtime/log/logger.ts';
import type { Config } from '../runtime/settings/config.ts';
import { createEmbeddedQueue } from './embedded.ts';
import type { Queue } from './queue.ts';
import { createRabbitQueue } from './rabbitmq.ts';
import { TOPOLOGY } from './topology.ts';

/**
 * The queue of this installation: RabbitMQ if one is configured, else Postgres. Not yet started.
 */
export function openQueue(
  config: Pick<Config, 'rabbitmq' | 'leaseMs'>,
  databaseUrl: string,
  logger: Logger,
  connectionName: string,
): Queue {
  if (config.rabbitmq) {
    return createRabbitQueue({ ...config.rabbitmq, topology: TOPOLOGY, logger, connectionName });
  }
  return createEmbeddedQueue({ databaseUrl, topology: TOPOLOGY, logger, leaseMs: config.leaseMs });
}
