import { type Bench, DRIVERS, type Driver, startApi, startNoopWorker, withChildren } from '../bench.ts';
import { inTurns, median } from '../measure.ts';
import { createScratch, insertJobs } from '../scratch.ts';
import { purgeQueue } from '../window.ts';
import { drainPeer, PEER_DRAINS, type PeerDrain } from './peers.ts';

const PART = 'drain';
export const SLOTS = [1, 4, 16, 64];

/** Enough for seconds of work at the speed that so many slots have. */
const jobsFor = (slots: number, quick: boolean): number =>
  ({ 1: 6000, 4: 12_000, 16: 24_000, 64: 40_000 })[slots] ?? 10_000 / (quick ? 3 : 1);

/**
 * No-op jobs drained a second: all of them wait in Postgres, an API process sweeps them onto the queue, one worker process
 * claims, runs, settles and acknowledges. The peers drain as many, with as many slots, in the same turns.
 */
export async function measureDraining(bench: Bench): Promise<void> {
  for (const slots of SLOTS) await measureSlots(bench, slots);
  await measureLogging(bench);
}

async function measureSlots(bench: Bench, slots: number): Promise<void> {
  const { options, report } = bench;
  const count = jobsFor(slots, options.quick);
  const peers = options.only.has('peers') ? PEER_DRAINS.filter((peer) => peer.isThere(bench)) : [];
  const turns = await inTurns(options.rounds, {
    ...Object.fromEntries(DRIVERS.map((driver) => [driver, () => drainOurs(bench, driver, slots, count)])),
    ...Object.fromEntries(peers.map((peer) => [peer.name, () => drainPeer(bench, peer, slots, count)])),
  });
  const medians = new Map(Object.entries(turns).map(([name, values]) => [name, median(values)]));
  const best = (among: PeerDrain[]) =>
    among.map(({ name }) => ({ name, value: medians.get(name) ?? 0 })).sort((a, b) => b.value - a.value)[0];
  // At the same number of slots: what a peer gets by taking more jobs than it has slots stands on a line of its own.
  const rival = best(peers.filter(({ isRival }) => isRival));
  for (const driver of DRIVERS) {
    report.add({
      part: PART,
      name: `${driver}: jobs drained, ${slots} slots`,
      value: medians.get(driver) ?? 0,
      unit: '/s',
      rounds: turns[driver],
      ...(rival ? { ceiling: rival } : {}),
      ...(rival && slots >= 16 ? { target: { of: 'ratio', atLeast: 1 } as const } : {}),
    });
  }
  for (const peer of peers) {
    report.add({
      part: PART,
      name: `${peer.name}: jobs drained, ${slots} slots`,
      note: peer.note(slots),
      value: medians.get(peer.name) ?? 0,
      unit: '/s',
      rounds: turns[peer.name],
    });
  }
}

/** What the two lines a job cost that a worker logs as installed. */
async function measureLogging(bench: Bench): Promise<void> {
  const slots = 16;
  const count = jobsFor(slots, bench.options.quick);
  const { silent, logged } = await inTurns(bench.options.rounds, {
    silent: () => drainOurs(bench, 'rabbitmq', slots, count),
    logged: () => drainOurs(bench, 'rabbitmq', slots, count, { LOG_LEVEL: 'info' }),
  });
  bench.report.add({
    part: PART,
    name: `rabbitmq: jobs drained, ${slots} slots, LOG_LEVEL=info`,
    value: median(logged),
    unit: '/s',
    ceiling: { name: 'LOG_LEVEL=warn', value: median(silent) },
  });
}

/** @returns jobs a second */
export async function drainOurs(
  bench: Bench,
  driver: Driver,
  slots: number,
  count: number,
  env?: Record<string, string>,
  /** Jobs in the database; only `count` of them are waited for. */
  waiting = count,
): Promise<number> {
  const scratch = await createScratch(bench.services);
  await insertJobs(scratch, waiting);
  await purgeQueue(bench, driver);
  const { perSecond } = await withChildren(async (keep) => {
    await keep(startApi(bench, driver, scratch.url, env));
    const worker = await keep(startNoopWorker(bench, driver, scratch.url, slots, env));
    return worker.call<{ perSecond: number }>('drain', { count });
  });
  await scratch.drop();
  return perSecond;
}
