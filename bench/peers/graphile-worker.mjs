import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { begun, chunks, createMeter, measureSends, now, serve } from './serve.mjs';

const logger = new Logger(() => () => {});
let url;
let utils;

const work = (preset, noop) =>
  run({
    preset: { worker: { connectionString: url, logger, ...preset } },
    taskList: { noop },
    noHandleSignals: true,
  });

serve({
  open: async (options) => {
    url = options.url;
    utils = await makeWorkerUtils({ connectionString: url, logger });
    await utils.migrate();
  },
  insert: async ({ count }) => {
    for (const payloads of chunks(count)) {
      await utils.addJobs(payloads.map((payload) => ({ identifier: 'noop', payload })));
    }
  },
  send: async ({ key }) => {
    const at = now();
    await utils.addJob('noop', { key });
    return at;
  },
  sends: (options) => measureSends(options, () => utils.addJob('noop', { n: 1 })),
  drain: async ({ count, setting }) => {
    const meter = createMeter(count);
    await work(setting, () => meter.hit());
    return meter.done;
  },
  listen: async ({ slots }) => {
    await work({ concurrentJobs: slots, maxPoolSize: 10 }, ({ key }) => begun(key));
  },
});
