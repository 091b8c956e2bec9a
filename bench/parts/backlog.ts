import {
  type Bench,
  DRIVERS,
  type Driver,
  startApi,
  startLoad,
  startNoopWorker,
  withChildren,
} from '../bench.ts';
import { medianOf } from '../drained.ts';
import { API_KEY, JOB } from '../job.ts';
import { interleave, median, percentile } from '../measure.ts';
import type { LoadResult } from '../processes/load.ts';
import { createScratch, insertJobs } from '../scratch.ts';
import { purgeQueue } from '../window.ts';
import { drainOurs } from './drain.ts';
import { collectDelays } from './idle.ts';

const PART = 'backlog';
const BACKLOG = 200_000;
const SLOTS = 16;
/** A backlog of 200,000 queued jobs slows nothing by more than this. */
const AT_LEAST = 0.9;

/** The same figures with 200,000 jobs waiting and with none, in the same rounds. */
export async function measureBacklog(bench: Bench): Promise<void> {
  for (const driver of DRIVERS) {
    await compareAccepting(bench, driver);
    await compareDraining(bench, driver);
    await compareDelays(bench, driver);
  }
}

async function compareAccepting(bench: Bench, driver: Driver): Promise<void> {
  const { options, report } = bench;
  const empty = await createScratch(bench.services);
  const full = await createScratch(bench.services);
  await insertJobs(full, BACKLOG);
  await purgeQueue(bench, driver);
  await withChildren(async (keep) => {
    const load = await keep(startLoad(bench));
    const onEmpty = await keep(startApi(bench, driver, empty.url));
    const onFull = await keep(startApi(bench, driver, full.url));
    const post = async (url = '') => {
      const result = await load.call<LoadResult>('run', {
        url: `${url}/jobs/scrape`,
        headers: { authorization: `Bearer ${API_KEY}` },
        body: JSON.stringify(JOB),
        ...{ connections: 32, warmMs: 1000, ms: options.quick ? 2000 : 5000 },
      });
      return result.perSecond;
    };
    const results = await interleave(options.rounds, {
      empty: async () => {
        const perSecond = await post(onEmpty.ready.url);
        await empty.clear();
        return perSecond;
      },
      full: () => post(onFull.ready.url),
    });
    report.add({
      part: PART,
      name: `${driver}: jobs accepted with ${BACKLOG} queued`,
      value: median(results.full),
      unit: '/s',
      ceiling: { name: 'with none', value: median(results.empty) },
      target: { of: 'ratio', atLeast: AT_LEAST },
      rounds: results.full,
    });
  });
  await empty.drop();
  await full.drop();
}

async function compareDraining(bench: Bench, driver: Driver): Promise<void> {
  const { options, report } = bench;
  const count = options.quick ? 8000 : 24_000;
  const results = await interleave(options.rounds, {
    empty: () => drainOurs(bench, driver, SLOTS, count),
    full: () => drainOurs(bench, driver, SLOTS, count, {}, BACKLOG),
  });
  report.add({
    part: PART,
    name: `${driver}: jobs drained, ${SLOTS} slots, of ${BACKLOG} queued`,
    value: medianOf(results.full).perSecond,
    unit: '/s',
    ceiling: { name: `of ${count}`, value: medianOf(results.empty).perSecond },
    target: { of: 'ratio', atLeast: AT_LEAST },
    rounds: results.full.map(({ perSecond }) => perSecond),
    cpuMicros: medianOf(results.full).cpuMicros,
  });
}

/**
 * POST to claim of an urgent job (priority 9) past a backlog that stays in place: no scheduler
 * runs, so the worker is as idle as without a backlog, and the difference is what the rows cost.
 */
async function compareDelays(bench: Bench, driver: Driver): Promise<void> {
  const { options, report } = bench;
  const delaysWith = async (backlog: number) => {
    const scratch = await createScratch(bench.services);
    await insertJobs(scratch, backlog);
    await purgeQueue(bench, driver);
    const delays = await withChildren(async (keep) => {
      const api = await keep(startApi(bench, driver, scratch.url, { DISPATCH: 'apart' }));
      const worker = await keep(startNoopWorker(bench, driver, scratch.url, 4));
      await worker.call('listen');
      const body = JSON.stringify({ ...JOB, priority: 9 });
      return collectDelays(bench, {
        url: api.ready.url ?? '',
        worker,
        samples: options.quick ? 60 : 150,
        body,
      });
    });
    await scratch.drop();
    return delays;
  };
  const results = await interleave(options.rounds, {
    empty: () => delaysWith(1),
    full: () => delaysWith(BACKLOG),
  });
  for (const [label, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    const full = percentile(results.full.flat(), share);
    const empty = percentile(results.empty.flat(), share);
    report.add({
      part: PART,
      name: `${driver}: POST to claim of an urgent job past ${BACKLOG} queued, ${label}`,
      value: full,
      unit: 'ms',
      ceiling: { name: 'with none', value: empty },
      ...(label === 'p50' ? { target: { of: 'ratio', atMost: 1 / AT_LEAST } as const } : {}),
    });
  }
}
