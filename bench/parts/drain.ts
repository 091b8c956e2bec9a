import { type Bench, DRIVERS, type Driver, startApi, startNoopWorker, withChildren } from '../bench.ts';
import { type Drained, drainWith, medianOf } from '../drained.ts';
import { interleave } from '../measure.ts';
import type { Figure } from '../report.ts';
import { createScratch, insertJobs } from '../scratch.ts';
import { takeStatements } from '../statements.ts';
import { purgeQueue } from '../window.ts';
import { drainPeer, PEER_DRAINS } from './peers.ts';

const PART = 'drain';

/** Enough for seconds of work at the speed of that many slots. */
const jobsFor = (slots: number, quick: boolean): number =>
  Math.min(40_000, 5000 + 1500 * slots) / (quick ? 2 : 1);

/**
 * No-op jobs drained per second: all of them wait in Postgres, the scheduler of an API process
 * enqueues them, one worker process claims, runs, settles and acknowledges. The peers drain as
 * many, with as many slots, in the same rounds.
 */
export async function measureDraining(bench: Bench): Promise<void> {
  for (const slots of bench.options.slots) await measureSlots(bench, slots);
  await measureLogging(bench);
}

async function measureSlots(bench: Bench, slots: number): Promise<void> {
  const { options } = bench;
  const count = jobsFor(slots, options.quick);
  const peers = options.only.has('peers') ? PEER_DRAINS.filter((peer) => peer.isThere(bench)) : [];
  const results = await interleave(options.rounds, {
    ...Object.fromEntries(DRIVERS.map((driver) => [driver, () => drainOurs(bench, driver, slots, count)])),
    ...Object.fromEntries(peers.map((peer) => [peer.name, () => drainPeer(bench, peer, slots, count)])),
  });
  const drained = new Map(Object.entries(results).map(([name, rounds]) => [name, medianOf(rounds)]));
  const speedOf = (name: string) => drained.get(name)?.perSecond ?? 0;
  const target = slots >= 16 ? ({ of: 'ratio', atLeast: 1 } as const) : undefined;
  for (const driver of DRIVERS) {
    const rounds = results[driver] ?? [];
    addDrained(bench, driver, slots, rounds);
    // A peer that takes as many jobs as it has slots at once, and no next one before the last of
    // them is done, has different semantics; its figure has a line of its own.
    for (const kind of ['a job a slot', 'in batches'] as const) {
      const [rival] = peers
        .filter(({ rival }) => rival === kind)
        .map(({ name }) => ({ name, value: speedOf(name) }))
        .sort((a, b) => b.value - a.value);
      if (rival)
        addDrained(bench, `${driver}, beside peers ${kind}`, slots, rounds, { ceiling: rival, target });
    }
  }
  for (const peer of peers) {
    addDrained(bench, peer.name, slots, results[peer.name] ?? [], { note: peer.note(slots) });
  }
}

function addDrained(
  { report }: Bench,
  who: string,
  slots: number,
  rounds: Drained[],
  more: Pick<Figure, 'note' | 'ceiling' | 'target'> = {},
): void {
  const { perSecond, cpuMicros } = medianOf(rounds);
  report.add({
    part: PART,
    name: `${who}: jobs drained, ${slots} slots`,
    value: perSecond,
    unit: '/s',
    rounds: rounds.map((round) => round.perSecond),
    cpuMicros,
    ...more,
  });
}

/** The cost of the two lines per job that a worker logs as installed. */
async function measureLogging(bench: Bench): Promise<void> {
  const slots = 16;
  const count = jobsFor(slots, bench.options.quick);
  const { silent, logged } = await interleave(bench.options.rounds, {
    silent: () => drainOurs(bench, 'rabbitmq', slots, count),
    logged: () => drainOurs(bench, 'rabbitmq', slots, count, { LOG_LEVEL: 'info' }),
  });
  bench.report.add({
    part: PART,
    name: `rabbitmq: jobs drained, ${slots} slots, LOG_LEVEL=info`,
    value: medianOf(logged).perSecond,
    unit: '/s',
    cpuMicros: medianOf(logged).cpuMicros,
    ceiling: { name: 'LOG_LEVEL=warn', value: medianOf(silent).perSecond },
  });
}

export async function drainOurs(
  bench: Bench,
  driver: Driver,
  slots: number,
  count: number,
  env?: Record<string, string>,
  /** Jobs in the database; the run waits for only `count` of them. */
  waiting = count,
): Promise<Drained> {
  const scratch = await createScratch(bench.services);
  await insertJobs(scratch, waiting);
  await purgeQueue(bench, driver);
  const drained = await withChildren(async (keep) => {
    const api = await keep(startApi(bench, driver, scratch.url, env));
    const worker = await keep(startNoopWorker(bench, driver, scratch.url, slots, env));
    const { postgres, broker } = bench.services.pids;
    const roots = {
      worker: worker.pid,
      api: api.pid,
      postgres,
      ...(driver === 'rabbitmq' ? { broker } : {}),
    };
    if (bench.options.statements) await takeStatements(bench.services);
    const result = await drainWith(worker, roots, { count });
    if (bench.options.statements)
      console.log(`\n${driver}, ${slots} slots\n${await takeStatements(bench.services)}`);
    return result;
  });
  await scratch.drop();
  return drained;
}
