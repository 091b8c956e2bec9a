import { PgBoss } from 'pg-boss';
import { begun, chunks, createMeter, measureSends, now, serve } from './serve.mjs';

const QUEUE = 'bench';
let boss;

serve({
  open: async ({ url, slots = 8, notify = false }) => {
    boss = new PgBoss({
      connectionString: url,
      max: Math.max(10, slots + 2),
      useListenNotify: notify,
      // So that its burst mode detects a backlog at once; the defaults are a minute.
      superviseIntervalSeconds: 1,
      monitorIntervalSeconds: 1,
      queueCacheIntervalSeconds: 1,
    });
    boss.on('error', () => {});
    await boss.start();
    await boss.createQueue(QUEUE, { notify });
  },
  insert: async ({ count }) => {
    for (const payloads of chunks(count)) {
      await boss.insert(
        QUEUE,
        payloads.map((data) => ({ data })),
      );
    }
  },
  send: async ({ key }) => {
    const at = now();
    await boss.send(QUEUE, { key });
    return at;
  },
  sends: (options) => measureSends(options, () => boss.send(QUEUE, { n: 1 })),
  drain: async ({ count, setting }) => {
    const meter = createMeter(count);
    await boss.work(QUEUE, { pollingIntervalSeconds: 0.5, ...setting }, async (jobs) => {
      for (const _job of jobs) meter.hit();
    });
    return meter.done;
  },
  listen: async ({ slots }) => {
    // In batches: it takes one batch per poll, and one job at a time would make it fall behind.
    await boss.work(QUEUE, { pollingIntervalSeconds: 0.5, batchSize: slots * 10 }, async (jobs) => {
      for (const { data } of jobs) begun(data.key);
    });
  },
});
