import {
  type Bench,
  DRIVERS,
  type Driver,
  startApi,
  startCeilingHttp,
  startCeilings,
  startDispatchingApi,
  startLoad,
  withChildren,
} from '../bench.ts';
import { API_KEY, JOB } from '../job.ts';
import { interleave, median } from '../measure.ts';
import type { LoadResult } from '../processes/load.ts';
import { createScratch, type Scratch } from '../scratch.ts';
import { countDispatched, purgeQueue, untilRelayed } from '../window.ts';

const PART = 'accept';
const CONNECTIONS = 32;
const ALL_DISPATCHED = 'all dispatched';

/**
 * Jobs accepted per second over HTTP at 32 connections, beside express + zod + one insert in the
 * same rounds. Twice: as installed, with a small dispatch window because there are no workers, and
 * with every job dispatched.
 */
export async function measureAccepting(bench: Bench): Promise<void> {
  await measureBareCeilings(bench);
  for (const driver of DRIVERS) await measureDriver(bench, driver);
}

async function measureDriver(bench: Bench, driver: Driver): Promise<void> {
  const { options, report } = bench;
  const ours = await createScratch(bench.services);
  const dispatching = await createScratch(bench.services);
  const ceiling = await createScratch(bench.services);
  await withChildren(async (keep) => {
    const load = await keep(startLoad(bench));
    const post = async (url: string, scratch: Scratch): Promise<RoundResult> => {
      const result = await load.call<LoadResult>('run', {
        url: `${url}/jobs/scrape`,
        headers: { authorization: `Bearer ${API_KEY}` },
        body: JSON.stringify(JOB),
        connections: CONNECTIONS,
        warmMs: options.quick ? 500 : 1500,
        ms: options.quick ? 2000 : 5000,
      });
      if (result.refused > 0) throw new Error(`${result.refused} of ${result.requests} were refused`);
      const { jobs, dispatched } = await countDispatched(scratch);
      const relayMs = scratch === ceiling ? 0 : await untilRelayed(scratch, 60_000);
      await purgeQueue(bench, driver);
      await scratch.clear();
      return { ...result, dispatched: dispatched / jobs, relayMs };
    };
    // Each of the two APIs loads the broker, so only one runs at a time; the ceiling runs beside
    // both.
    const plain = await keep(startCeilingHttp(bench, ceiling.url));
    const run = async (
      name: string,
      api: { ready: { url?: string }; stop(): Promise<void> },
      scratch: Scratch,
    ) => {
      const results = await interleave(options.rounds, {
        ours: () => post(api.ready.url ?? '', scratch),
        ceiling: () => post(plain.ready.url ?? '', ceiling),
      });
      await api.stop();
      add(name, results);
    };
    const add = (name: string, results: { ours: RoundResult[]; ceiling: RoundResult[] }) => {
      const of = (pick: (result: RoundResult) => number) => median(results.ours.map(pick));
      const base = median(results.ceiling.map(({ perSecond }) => perSecond));
      report.add({
        part: PART,
        name: `${driver}: jobs accepted, ${name}`,
        // If all jobs are to be dispatched, accepted jobs that the dispatcher left behind do not
        // count.
        value: of((result) => result.perSecond * (name === ALL_DISPATCHED ? result.dispatched : 1)),
        unit: '/s',
        ceiling: { name: 'express + zod + one insert', value: base },
        target: { of: 'ratio', atLeast: 0.85 },
        rounds: results.ours.map(({ perSecond }) => perSecond),
      });
      report.add({
        part: PART,
        name: `${driver}: answer p50, ${name}`,
        value: of(({ p50 }) => p50),
        unit: 'ms',
        ceiling: { name: 'its p50', value: median(results.ceiling.map(({ p50 }) => p50)) },
      });
      report.add({
        part: PART,
        name: `${driver}: answer p99, ${name}`,
        value: of(({ p99 }) => p99),
        unit: 'ms',
        ceiling: { name: 'its p99', value: median(results.ceiling.map(({ p99 }) => p99)) },
      });
      report.add({
        part: PART,
        name: `${driver}: share dispatched by the end, ${name}`,
        value: of(({ dispatched }) => dispatched),
        unit: 'ratio',
      });
      report.add({
        part: PART,
        name: `${driver}: until the last event was relayed, ${name}`,
        value: of(({ relayMs }) => relayMs),
        unit: 'ms',
      });
    };
    await run('as installed', await startApi(bench, driver, ours.url), ours);
    await run(ALL_DISPATCHED, await startDispatchingApi(bench, driver, dispatching.url), dispatching);
  });
  for (const scratch of [ours, dispatching, ceiling]) await scratch.drop();
}

type RoundResult = LoadResult & { dispatched: number; relayMs: number };

async function measureBareCeilings(bench: Bench): Promise<void> {
  const { options, report } = bench;
  const scratch = await createScratch(bench.services);
  const ms = options.quick ? 1000 : 3000;
  await withChildren(async (keep) => {
    const ceilings = await keep(startCeilings(bench, scratch.url));
    const rates = await interleave(options.rounds, {
      single: () => ceilings.call<{ perSecond: number }>('inserts', { ms, rowsEach: 1 }),
      hundreds: () => ceilings.call<{ perSecond: number }>('inserts', { ms, rowsEach: 100 }),
      publishes: () => ceilings.call<{ perSecond: number }>('publishes', { ms }),
    });
    const add = (name: string, results: { perSecond: number }[]) =>
      report.add({
        part: 'ceiling',
        name,
        value: median(results.map(({ perSecond }) => perSecond)),
        unit: '/s',
      });
    add('bare inserts of one job, 32 connections', rates.single);
    add('bare inserts of jobs in hundreds, 32 connections', rates.hundreds);
    add('bare confirmed publishes to a quorum queue, 256 in flight', rates.publishes);
  });
  await scratch.drop();
}
