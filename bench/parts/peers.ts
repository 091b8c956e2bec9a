import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bench, startPeer, withChildren } from '../bench.ts';
import { type Drained, drainWith } from '../drained.ts';
import { interleave, median } from '../measure.ts';
import { createDatabase, dropDatabase, vacuum } from '../scratch.ts';
import { ROOT } from '../services.ts';

/** How a peer drains. */
export interface PeerDrain {
  name: string;
  peer: 'pg-boss' | 'graphile-worker' | 'bullmq';
  /** The peer's own options. */
  setting(slots: number): Record<string, unknown>;
  /** The same as text. */
  note(slots: number): string;
  onRedis?: boolean;
  /** Whether ours must be ahead of it at 16 and 64 slots, and how it uses its slots. */
  rival?: 'a job a slot' | 'in batches';
  isThere(bench: Bench): boolean;
}

const always = () => true;

export const PEER_DRAINS: readonly PeerDrain[] = [
  {
    name: 'pg-boss',
    peer: 'pg-boss',
    setting: (slots) => ({ localConcurrency: slots, batchSize: 1, burstWhenReadyExceeds: 1 }),
    note: (slots) => `localConcurrency ${slots}, burst mode`,
    rival: 'a job a slot',
    isThere: always,
  },
  {
    name: 'pg-boss, batches of its slots',
    peer: 'pg-boss',
    setting: (slots) => ({ batchSize: slots, burstWhenBatchFull: true, burstWhenReadyExceeds: 1 }),
    note: (slots) => `batchSize ${slots}, burst mode`,
    rival: 'in batches',
    isThere: always,
  },
  {
    name: 'pg-boss, best batch',
    peer: 'pg-boss',
    setting: () => ({ localConcurrency: 2, batchSize: 500, burstWhenBatchFull: true }),
    note: () => 'localConcurrency 2, batchSize 500, burst mode',
    isThere: always,
  },
  {
    name: 'graphile-worker',
    peer: 'graphile-worker',
    setting: (slots) => ({ concurrentJobs: slots, maxPoolSize: Math.max(10, slots + 2) }),
    note: (slots) => `concurrentJobs ${slots}`,
    isThere: always,
  },
  {
    name: 'graphile-worker, best batch',
    peer: 'graphile-worker',
    setting: (slots) => ({
      ...{ concurrentJobs: slots, maxPoolSize: Math.max(10, slots + 2) },
      ...{ localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 },
    }),
    note: (slots) => `concurrentJobs ${slots}, localQueue 500, completeJobBatchDelay 0`,
    isThere: always,
  },
  {
    name: 'BullMQ on Postgres',
    peer: 'bullmq',
    setting: (slots) => ({ concurrency: slots }),
    note: (slots) => `concurrency ${slots}`,
    rival: 'a job a slot',
    isThere: always,
  },
  {
    name: 'BullMQ on Redis',
    peer: 'bullmq',
    setting: (slots) => ({ concurrency: slots }),
    note: (slots) => `concurrency ${slots}, appendfsync always`,
    onRedis: true,
    isThere: ({ services }) => services.redisPort !== undefined,
  },
];

/** Installs the peers' packages beside their source, once. */
export async function installPeers(): Promise<void> {
  const directory = join(ROOT, 'bench', 'peers');
  try {
    await access(join(directory, 'node_modules', '.package-lock.json'));
  } catch {
    process.stderr.write('bench: installing the peers …\n');
    await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: directory,
    });
  }
}

export async function drainPeer(
  bench: Bench,
  peer: PeerDrain,
  slots: number,
  count: number,
): Promise<Drained> {
  return withPeerDatabase(bench, async (url) =>
    withChildren(async (keep) => {
      const sender = await keep(startPeer(bench, peer.peer));
      await sender.call('open', openOptions(bench, peer, url, slots));
      await sender.call('insert', { count });
      await vacuum(url);
      const worker = await keep(startPeer(bench, peer.peer));
      await worker.call('open', openOptions(bench, peer, url, slots));
      const { postgres, redis } = bench.services.pids;
      const roots = { worker: worker.pid, ...(peer.onRedis ? { redis } : { postgres }) };
      return drainWith(worker, roots, { count, setting: peer.setting(slots) });
    }),
  );
}

const openOptions = (bench: Bench, { onRedis }: { onRedis?: boolean }, url: string, slots: number) => ({
  url,
  slots,
  ...(onRedis ? { redis: bench.services.redisPort, prefix: new URL(url).pathname.slice(1) } : {}),
});

async function withPeerDatabase<T>(bench: Bench, work: (url: string) => Promise<T>): Promise<T> {
  const url = await createDatabase(bench.services.postgresUrl);
  const result = await work(url);
  await dropDatabase(bench.services.postgresUrl, url);
  return result;
}

/**
 * One job at a time: the cost of a peer's send at 32 at once, and the time from send to start while
 * idle.
 */
interface PeerSend {
  name: string;
  peer: PeerDrain['peer'];
  open?: Record<string, unknown>;
  onRedis?: boolean;
  note: string;
}

const PEER_SENDS: readonly PeerSend[] = [
  { name: 'pg-boss', peer: 'pg-boss', note: 'polls each 0.5 s, the shortest it allows' },
  { name: 'pg-boss, LISTEN/NOTIFY', peer: 'pg-boss', open: { notify: true }, note: 'useListenNotify' },
  { name: 'graphile-worker', peer: 'graphile-worker', note: 'LISTEN/NOTIFY, as installed' },
  { name: 'BullMQ on Postgres', peer: 'bullmq', note: 'LISTEN/NOTIFY, as installed' },
  { name: 'BullMQ on Redis', peer: 'bullmq', onRedis: true, note: 'appendfsync always' },
];

export const peerSends = ({ services }: Bench): PeerSend[] =>
  PEER_SENDS.filter(({ onRedis }) => !onRedis || services.redisPort !== undefined);

/** From send to start while idle: the delays in ms. */
export async function idlePeer(
  bench: Bench,
  peer: PeerSend,
  samples: number,
  slots: number,
): Promise<number[]> {
  return withPeerDatabase(bench, (url) =>
    withChildren(async (keep) => {
      const options = { ...openOptions(bench, peer, url, slots), ...peer.open };
      const sender = await keep(startPeer(bench, peer.peer));
      await sender.call('open', options);
      const worker = await keep(startPeer(bench, peer.peer));
      await worker.call('open', options);
      const begun = new Map<string, number>();
      worker.onBegun(({ key, at }) => begun.set(key, at));
      await worker.call('listen', { slots });
      await pause(2000);
      const sent = new Map<string, number>();
      for (let sample = 0; sample < samples; sample += 1) {
        await pause(20 + Math.random() * 40);
        sent.set(String(sample), await sender.call<number>('send', { key: String(sample) }));
      }
      await pause(1500);
      return [...sent].flatMap(([key, at]) => (begun.has(key) ? [(begun.get(key) ?? 0) - at] : []));
    }),
  );
}

/** Single sends per second, 32 at once, without HTTP: the peers' counterpart of accepting. */
export async function measurePeerSends(bench: Bench): Promise<void> {
  const { options, report } = bench;
  const ms = options.quick ? 1500 : 3000;
  const sendsOf = (peer: PeerSend) => () =>
    withPeerDatabase(bench, (url) =>
      withChildren(async (keep) => {
        const sender = await keep(startPeer(bench, peer.peer));
        await sender.call('open', { ...openOptions(bench, peer, url, 8), ...peer.open });
        return sender.call<{ perSecond: number }>('sends', { concurrency: 32, ms });
      }),
    );
  const peers = peerSends(bench);
  const results = await interleave(
    options.rounds,
    Object.fromEntries(peers.map((peer) => [peer.name, sendsOf(peer)])),
  );
  for (const { name } of peers) {
    const rounds = (results[name] ?? []).map(({ perSecond }) => perSecond);
    const note = 'its library, no HTTP';
    report.add({
      part: 'accept',
      name: `${name}: single sends, 32 at once`,
      note,
      value: median(rounds),
      unit: '/s',
      rounds,
    });
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
