import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { waitFor } from '../../support/wait-for.ts';
import { type Installation, type Member, waitUntilReady } from '../installation.ts';
import type { Load } from '../load/load.ts';
import { asAdmin } from '../postgres.ts';
import type { Failpoint } from './failpoints.ts';
import type { FaultKind, PlannedFault } from './plan.ts';
import type { ChaosProxy } from './proxy.ts';

/**
 * The effect of a fault, for the auditor. Times are by the harness's clock, which is the database's
 * too.
 */
export interface FaultEffect {
  /** When it took effect, and when everything was normal again. */
  at: number;
  healedAt: number;
  /** Processes it hit, with their pids at that time. */
  hit: { name: string; pid: number }[];
  /** Why nothing happened. */
  skipped?: string;
}

export interface FaultContext {
  installation: Installation;
  load: Load;
}

/** How a fault is performed, and what it must not overlap with. */
export interface FaultAct {
  /** Only one fault at a time may use each of these. */
  holds: string[];
  run(): Promise<FaultEffect>;
}

export function prepareFault(planned: PlannedFault, context: FaultContext): FaultAct {
  const { kind, target, durationMs } = planned;
  const { installation, load } = context;
  const { postgres, broker, leaseMs } = installation;
  const one = (members: Member[]): Member => {
    const member = members[target % members.length];
    if (!member) throw new Error(`no process for ${kind}`);
    return member;
  };
  const scripted = installation.workers.filter(({ hasFailpoints }) => hasFailpoints);
  const on = (member: Member, run: () => Promise<Partial<FaultEffect>>, ...more: string[]): FaultAct => ({
    holds: [member.name, ...more],
    run: () => timed(run, [member]),
  });
  const onAll = (hold: string, run: () => Promise<Partial<FaultEffect>>): FaultAct => ({
    holds: [hold],
    run: () => timed(run, []),
  });
  const way = (
    members: Member[],
    to: 'toPostgres' | 'toBroker',
    how: 'cut' | 'stalled' | 'slow',
  ): FaultAct => {
    const member = one(members);
    const proxy = member[to];
    return on(member, () => (proxy ? disturb(proxy, how, planned) : nothing('no broker')));
  };
  const dies = (moment: Failpoint['moment'], members: Member[]): FaultAct => {
    const member = one(members.filter(({ hasFailpoints }) => hasFailpoints));
    return on(member, () => dieAt(member, { moment, signal: 'SIGKILL', afterMs: 0 }));
  };

  const acts: Record<FaultKind, () => FaultAct> = {
    worker_killed: () => hit(one(scripted), 'SIGKILL'),
    worker_stopped: () => hit(one(installation.workers), 'SIGTERM'),
    api_killed: () => hit(one(installation.apis), 'SIGKILL'),
    api_stopped: () => hit(one(installation.apis), 'SIGTERM'),
    worker_frozen: () => {
      const member = one(installation.workers);
      return on(member, () => freeze(member, leaseMs + 500 + durationMs / 3));
    },
    worker_frozen_in_transaction: () => {
      const member = one(scripted);
      return on(member, () => freezeInTransaction(member, leaseMs + 6000 + durationMs), 'postgres');
    },
    worker_killed_after_claim: () => dies('claimed', installation.workers),
    worker_killed_after_store: () => dies('stored', installation.workers),
    worker_killed_before_settle: () => dies('before_settle', installation.workers),
    worker_killed_after_settle: () => dies('settled', installation.workers),
    api_killed_before_publish: () => dies('before_publish', installation.apis),
    api_killed_after_publish: () => dies('published', installation.apis),
    worker_killing_job: () =>
      onAll('killer', () =>
        load
          .postKiller()
          .then(() => delay(2000))
          .then(() => ({})),
      ),
    chromium_killed: () => {
      const member = installation.workers.find(({ role }) => role === 'browser_worker');
      return member ? on(member, () => killChromium(member)) : onAll('chromium', () => nothing('no browser'));
    },
    postgres_killed: () => onAll('postgres', () => restart(postgres.kill, postgres.start, durationMs / 4)),
    postgres_restarted: () => onAll('postgres', () => restart(postgres.stop, postgres.start, durationMs / 4)),
    postgres_disk_full: () => onAll('postgres', () => fillDisk(installation, durationMs)),
    backends_terminated: () => onAll('postgres', () => terminateBackends(installation)),
    connections_refused: () => onAll('postgres', () => refuseConnections(installation, durationMs)),
    pool_exhausted: () => onAll('postgres', () => exhaustPools(installation)),
    queue_purged: () => onAll('queue', () => purgeQueue(installation)),
    queue_deleted: () => onAll('queue', () => deleteQueue(installation)),
    broker_killed: () =>
      broker ? onAll('broker', () => restart(broker.kill, broker.start, durationMs / 2)) : noBroker(),
    broker_restarted: () =>
      broker ? onAll('broker', () => restart(broker.stop, broker.start, durationMs / 2)) : noBroker(),
    api_postgres_cut: () => way(installation.apis, 'toPostgres', 'cut'),
    api_postgres_stalled: () => way(installation.apis, 'toPostgres', 'stalled'),
    api_postgres_slow: () => way(installation.apis, 'toPostgres', 'slow'),
    worker_postgres_cut: () => way(installation.workers, 'toPostgres', 'cut'),
    worker_postgres_stalled: () => way(installation.workers, 'toPostgres', 'stalled'),
    worker_postgres_slow: () => way(installation.workers, 'toPostgres', 'slow'),
    api_broker_cut: () => way(installation.apis, 'toBroker', 'cut'),
    api_broker_stalled: () => way(installation.apis, 'toBroker', 'stalled'),
    api_broker_slow: () => way(installation.apis, 'toBroker', 'slow'),
    worker_broker_cut: () => way(installation.workers, 'toBroker', 'cut'),
    worker_broker_stalled: () => way(installation.workers, 'toBroker', 'stalled'),
    worker_broker_slow: () => way(installation.workers, 'toBroker', 'slow'),
  };
  return acts[kind]();

  function hit(member: Member, signal: 'SIGKILL' | 'SIGTERM'): FaultAct {
    return on(member, async () => {
      const ended = member.ends(15_000);
      member.signal(signal);
      await ended;
      await waitUntilReady([member]);
      return {};
    });
  }
  function noBroker(): FaultAct {
    return onAll('broker', () => nothing('no broker'));
  }
}

/** Fills in the defaults of an act: from its begin to its end, on these processes. */
async function timed(run: () => Promise<Partial<FaultEffect>>, members: Member[]): Promise<FaultEffect> {
  if (members.length > 0) await waitUntilReady(members);
  const at = Date.now();
  const hit = members.flatMap(({ name, pid }) => (pid ? [{ name, pid }] : []));
  const said = await run();
  return { at, hit, healedAt: Date.now(), ...said };
}

const nothing = async (skipped: string): Promise<Partial<FaultEffect>> => ({ skipped });

/** Arms a failpoint and waits until the process has reached it. */
async function dieAt(member: Member, failpoint: Failpoint): Promise<Partial<FaultEffect>> {
  const ended = member.ends(8000);
  member.send({ arm: failpoint });
  if (!(await ended)) {
    member.send({ arm: null });
    return { skipped: `did not come by ${failpoint.moment}` };
  }
  const at = member.lives.at(-1)?.endedAt ?? Date.now();
  await waitUntilReady([member]);
  return { at };
}

async function freeze(member: Member, ms: number): Promise<Partial<FaultEffect>> {
  member.signal('SIGSTOP');
  await delay(ms);
  member.signal('SIGCONT');
  return {};
}

async function freezeInTransaction(member: Member, ms: number): Promise<Partial<FaultEffect>> {
  member.send({ arm: { moment: 'storing', signal: 'SIGSTOP', afterMs: 0 } satisfies Failpoint });
  const frozen = () => isStopped(member.pid);
  const standsStill = await waitFor(frozen, { timeoutMs: 8000 }).catch(() => false);
  if (!standsStill) {
    member.send({ arm: null });
    // It may have reached the failpoint just now.
    member.signal('SIGCONT');
    return { skipped: 'did not come by storing' };
  }
  const at = Date.now();
  await delay(ms);
  member.signal('SIGCONT');
  return { at };
}

/**
 * Linux reports a stopped process as `T` in the third field of its stat, after the name in
 * brackets.
 */
async function isStopped(pid: number | undefined): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) === 'T';
}

async function disturb(
  proxy: ChaosProxy,
  how: 'cut' | 'stalled' | 'slow',
  { durationMs, loses }: PlannedFault,
): Promise<Partial<FaultEffect>> {
  if (how === 'cut') proxy.cut();
  else if (how === 'stalled') proxy.stall();
  else proxy.slow(40 + durationMs / 20);
  await delay(durationMs);
  // What a stall held back arrives late as a whole, or not at all.
  if (how === 'stalled' && loses) proxy.cut();
  proxy.restore();
  return {};
}

async function restart(
  end: () => Promise<void>,
  start: () => Promise<void>,
  pauseMs: number,
): Promise<Partial<FaultEffect>> {
  await end();
  await delay(pauseMs);
  await start();
  return {};
}

async function fillDisk({ postgres }: Installation, ms: number): Promise<Partial<FaultEffect>> {
  const { disk } = postgres;
  if (!disk) return { skipped: 'no small disk: mounting one needs root and unshare' };
  await disk.fill();
  await delay(ms);
  await disk.empty();
  // A full disk for the write-ahead log ends the server, as it should.
  await postgres.start();
  return {};
}

async function terminateBackends({ adminUrl }: Installation): Promise<Partial<FaultEffect>> {
  await asAdmin(adminUrl, (admin) =>
    admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'leadengine' AND pid <> pg_backend_pid()`,
    ),
  );
  return {};
}

/**
 * Limits the role to three connections and ends those it has: later ones are refused with "too many
 * connections".
 */
async function refuseConnections(installation: Installation, ms: number): Promise<Partial<FaultEffect>> {
  const limit = (connections: number) =>
    asAdmin(installation.adminUrl, (admin) =>
      admin.query(`ALTER ROLE leadengine CONNECTION LIMIT ${connections}`),
    );
  await limit(3);
  try {
    await terminateBackends(installation);
    await delay(ms);
  } finally {
    await limit(-1);
  }
  return {};
}

/**
 * A lock that everything waits for, until the pools have no connection left and callers are
 * refused.
 */
async function exhaustPools({ adminUrl }: Installation): Promise<Partial<FaultEffect>> {
  return asAdmin(adminUrl, async (admin) => {
    await admin.query('BEGIN');
    await admin.query(`SET LOCAL lock_timeout = '5s'`);
    try {
      await admin.query('LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE');
    } catch (error) {
      await admin.query('ROLLBACK');
      return { skipped: `no lock: ${(error as Error).message}` };
    }
    await admin.query('SELECT pg_sleep(6.5)');
    await admin.query('COMMIT');
    return {};
  });
}

/** An operator's mistake with the wrong queue name. */
async function purgeQueue(installation: Installation): Promise<Partial<FaultEffect>> {
  if (!installation.broker) {
    await asAdmin(installation.adminUrl, (admin) =>
      admin.query(`DELETE FROM queue.messages WHERE queue = 'scrape_jobs' AND holder IS NULL`),
    );
    return {};
  }
  return atBroker(installation, (channel) => channel.purgeQueue('scrape_jobs'));
}

const deleteQueue = (installation: Installation): Promise<Partial<FaultEffect>> =>
  atBroker(installation, (channel) => channel.deleteQueue('scrape_jobs'));

type Channel = Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createChannel']>>;

async function atBroker(
  { broker }: Installation,
  work: (channel: Channel) => Promise<unknown>,
): Promise<Partial<FaultEffect>> {
  if (!broker) return { skipped: 'no broker' };
  try {
    const connection = await connect(broker.url);
    connection.on('error', () => {});
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    await work(channel);
    await connection.close();
    return {};
  } catch (error) {
    return { skipped: `the broker was away: ${(error as Error).message}` };
  }
}

/** The browser of one worker, with its whole process tree; the worker itself stays. */
async function killChromium(member: Member): Promise<Partial<FaultEffect>> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,comm=']);
  const processes = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, parent, name]) => ({ pid: Number(pid), parent: Number(parent), name: name ?? '' }));
  const family = new Set([member.pid]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  const browsers = processes.filter(({ pid, name }) => family.has(pid) && /chrom|headless/i.test(name));
  for (const { pid } of browsers) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended with its parent.
    }
  }
  return browsers.length > 0 ? {} : { skipped: 'no browser was running' };
}
