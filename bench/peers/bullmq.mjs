import { createPostgresBackend, Queue, Worker } from 'bullmq';
import { begun, chunks, createMeter, measureSends, now, serve } from './serve.mjs';

const QUEUE = 'bench';
let queue;
/** Arguments of every BullMQ class: its options, and the factory if it runs on Postgres. */
let backend;

const startWorker = (slots, processor) => {
  const [options, factory] = backend(slots);
  const worker = new Worker(QUEUE, processor, { ...options, concurrency: slots }, ...factory);
  worker.on('error', () => {});
  return worker.waitUntilReady();
};

serve({
  open: async ({ url, redis, prefix }) => {
    backend = redis
      ? () => [{ connection: { host: '127.0.0.1', port: redis, maxRetriesPerRequest: null }, prefix }, []]
      : (slots) => [
          { connection: { connectionString: url, max: Math.max(10, slots + 2), migrate: true } },
          [createPostgresBackend],
        ];
    const [options, factory] = backend(0);
    queue = new Queue(QUEUE, options, ...factory);
    await queue.waitUntilReady();
  },
  insert: async ({ count }) => {
    for (const payloads of chunks(count))
      await queue.addBulk(payloads.map((data) => ({ name: 'noop', data })));
  },
  send: async ({ key }) => {
    const at = now();
    await queue.add('noop', { key });
    return at;
  },
  sends: (options) => measureSends(options, () => queue.add('noop', { n: 1 })),
  drain: async ({ count, setting }) => {
    const meter = createMeter(count);
    await startWorker(setting.concurrency, async () => meter.hit());
    return meter.done;
  },
  listen: ({ slots }) => startWorker(slots, async (job) => begun(job.data.key)),
});
