// A consumer to be killed: reports each message it gets, and never finishes one.
import { createEmbeddedQueue } from '../../../dist/queue/embedded.js';
import { createRabbitQueue } from '../../../dist/queue/rabbitmq.js';
import { silentLogger } from '../../../dist/runtime/log/logger.js';

const { driver, url, topology, queue: name, prefetch, leaseMs } = JSON.parse(process.env.CHILD ?? '{}');
const common = { topology, logger: silentLogger };
const queue =
  driver === 'rabbitmq'
    ? createRabbitQueue({
        ...common,
        url,
        heartbeatSeconds: 15,
        connectionTimeoutMs: 5000,
        connectionName: 'child',
      })
    : createEmbeddedQueue({ ...common, databaseUrl: url, leaseMs });

await queue.start();
await queue.consume(name, { prefetch }, ({ envelope, signal }) => {
  process.send?.({ got: envelope.id });
  signal.addEventListener('abort', () => process.send?.({ lost: envelope.id }));
  return new Promise(() => {});
});
