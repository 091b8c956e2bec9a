import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, startApi, startLoad, startOurs, withChildren } from '../bench.ts';
import { API_KEY, JOB } from '../job.ts';
import { percentile } from '../measure.ts';
import { createScratch } from '../scratch.ts';

const PART = 'streams';
const HEADERS = { authorization: `Bearer ${API_KEY}` };

/**
 * Many open event streams on one API process: the memory of each, and the time from a POST until
 * all of them have the event of its job.
 */
export async function measureStreams(bench: Bench): Promise<void> {
  const streams = bench.options.quick ? 200 : 1000;
  const samples = bench.options.quick ? 20 : 100;
  const scratch = await createScratch(bench.services);
  try {
    await withChildren(async (keep) => {
      const api = await keep(
        startApi(bench, 'embedded', scratch.url, { STREAMS_PER_USER: String(2 * streams) }),
      );
      const load = await keep(startLoad(bench));
      const listeners = await keep(
        startOurs(bench, {
          program: 'bench/processes/listeners.js',
          driver: 'embedded',
          databaseUrl: '',
        }),
      );
      const post = (count: number) =>
        load.call<{ key: string; at: number }[]>('one_by_one', {
          url: `${api.ready.url}/jobs/scrape`,
          headers: HEADERS,
          body: JSON.stringify(JOB),
          samples: count,
        });
      const open = (count: number) =>
        listeners.call('open', { url: `${api.ready.url}/api/v1/events`, headers: HEADERS, count });
      // The first ones pay for compilation, connections and the heap's first growth.
      await open(streams / 10);
      await post(20);
      await sleep(1000);
      const before = residentKb(api.pid);
      await open(streams);
      await sleep(2000);
      const after = residentKb(api.pid);
      bench.report.add({
        part: PART,
        name: `memory a stream, of ${streams} opened`,
        value: (after - before) / streams,
        unit: 'KB',
      });

      await listeners.call('arrivals');
      const sent = await post(samples);
      await sleep(2000);
      const heard = await listeners.call<{ key: string; at: number }[]>('arrivals');
      const sentAt = new Map(sent.map(({ key, at }) => [key, at]));
      const delays = heard.map(({ key, at }) => at - (sentAt.get(key) ?? Number.NaN));
      const expected = samples * (streams + streams / 10);
      if (delays.length !== expected) {
        throw new Error(`${delays.length} of ${expected} events were heard within two seconds`);
      }
      const add = (share: number, label: string) =>
        bench.report.add({
          part: PART,
          name: `POST to event on ${streams * 1.1} streams, ${label}`,
          value: percentile(delays, share),
          unit: 'ms',
        });
      add(0.5, 'p50');
      add(0.99, 'p99');
      bench.report.add({
        part: PART,
        name: `memory a stream, after ${samples} events on each`,
        value: (residentKb(api.pid) - before) / streams,
        unit: 'KB',
      });
    });
  } finally {
    await scratch.drop();
  }
}

/** Linux only, like everything the bench reads about processes. */
const residentKb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
