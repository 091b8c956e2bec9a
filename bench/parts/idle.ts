import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Bench,
  DRIVERS,
  type Driver,
  startApi,
  startLoad,
  startNoopWorker,
  withChildren,
} from '../bench.ts';
import { API_KEY, JOB } from '../job.ts';
import { percentile } from '../measure.ts';
import { createScratch } from '../scratch.ts';
import { purgeQueue } from '../window.ts';
import { idlePeer, peerSends } from './peers.ts';

const PART = 'idle';
const SLOTS = 4;

/** Time from sending a POST to the claim, one job at a time on an otherwise idle system. */
export async function measureIdle(bench: Bench): Promise<void> {
  const { options } = bench;
  const samples = options.quick ? 100 : 300;
  for (const driver of DRIVERS) {
    addDelays(bench, `${driver}: POST to claim`, await idleOurs(bench, driver, samples), {
      // The contract's promise is for RabbitMQ; the embedded queue is measured against the same.
      p50: 5,
      p99: 20,
    });
  }
  if (!options.only.has('peers')) return;
  for (const peer of peerSends(bench)) {
    addDelays(
      bench,
      `${peer.name}: send to start`,
      await idlePeer(bench, peer, Math.min(samples, 150), SLOTS),
      undefined,
      peer.note,
    );
  }
}

function addDelays(
  { report }: Bench,
  name: string,
  delays: number[],
  targets?: { p50: number; p99: number },
  note?: string,
): void {
  const add = (share: number, label: 'p50' | 'p99') =>
    report.add({
      part: PART,
      name: `${name}, ${label}`,
      note,
      value: percentile(delays, share),
      unit: 'ms',
      ...(targets ? { target: { of: 'value', atMost: targets[label] } as const } : {}),
    });
  add(0.5, 'p50');
  add(0.99, 'p99');
}

async function idleOurs(bench: Bench, driver: Driver, samples: number): Promise<number[]> {
  const scratch = await createScratch(bench.services);
  await purgeQueue(bench, driver);
  const delays = await withChildren(async (keep) => {
    const api = await keep(startApi(bench, driver, scratch.url));
    const worker = await keep(startNoopWorker(bench, driver, scratch.url, SLOTS));
    await worker.call('listen');
    return collectDelays(bench, { url: api.ready.url ?? '', worker, samples, body: JSON.stringify(JOB) });
  });
  await scratch.drop();
  return delays;
}

/**
 * Posts one job at a time and returns how long each took to its claim, in ms; a job that never
 * started is an error.
 */
export function collectDelays(
  bench: Bench,
  options: {
    url: string;
    worker: { onBegun(listener: (begun: { key: string; at: number }) => void): void };
    samples: number;
    body: string;
  },
): Promise<number[]> {
  const begun = new Map<string, number>();
  options.worker.onBegun(({ key, at }) => begun.set(key, at));
  return withChildren(async (keep) => {
    const load = await keep(startLoad(bench));
    const target = {
      url: `${options.url}/jobs/scrape`,
      headers: { authorization: `Bearer ${API_KEY}` },
      body: options.body,
    };
    const post = (samples: number) =>
      load.call<{ key: string; at: number }[]>('one_by_one', { ...target, samples });
    // The first ones pay for connections, plans and compilation.
    await post(30);
    await sleep(1000);
    const sent = await post(options.samples);
    await sleep(1000);
    return sent.map(({ key, at }) => {
      const begunAt = begun.get(key);
      if (begunAt === undefined) throw new Error(`job ${key} was not begun within a second`);
      return begunAt - at;
    });
  });
}
