import { setTimeout as delay } from 'node:timers/promises';
import { createRandom, type Random } from '../faults/random.ts';
import type { Installation } from '../installation.ts';
import { asAdmin } from '../postgres.ts';
import type { ChaosClient } from './client.ts';
import type { JobScript } from './script.ts';

/** Posts jobs and batches, cancels and retries, at a steady rate and by a seeded script. */
export interface Load {
  /** Posts a job that kills every worker that runs it. */
  postKiller(): Promise<void>;
  /** Posts a job that runs for a while, for a fault that needs one. */
  postSlow(ms: number, priority?: number): Promise<string | undefined>;
  posted(): number;
  /** Starts no new actions; resolves when those in progress are done. */
  stop(): Promise<void>;
}

/**
 * With more than this many unfinished jobs, the clients wait: an outage must not become a backlog
 * of minutes.
 */
const MOST_UNFINISHED = 250;
const WATCH_MS = 400;
const REMEMBERED = 300;

export function startLoad(options: {
  installation: Installation;
  client: ChaosClient;
  seed: number;
  /** 0: only what faults and scenarios post. */
  jobsPerSecond: number;
}): Load {
  const { installation, client, seed } = options;
  const underWay = new Set<Promise<unknown>>();
  const recent: string[] = [];
  const retryable: string[] = [];
  let stopped = false;
  let posted = 0;
  let actions = 0;
  let crowded = false;
  let killers = 0;

  const specOf = (script: JobScript, pages: number, more: object = {}) => ({
    urls: installation.site.urlsOf(script, pages),
    formats: ['markdown'],
    max_attempts: 5,
    metadata: { chaos: script },
    ...more,
  });
  const remember = (ids: string[] | undefined, end: JobScript['end']) => {
    for (const id of ids ?? []) (end === 'fail' ? retryable : recent).push(id);
    recent.splice(0, recent.length - REMEMBERED);
    retryable.splice(0, retryable.length - REMEMBERED);
  };
  const post = async (random: Random, key: string, script: JobScript, size: number, pages: number) => {
    const jobs = Array.from({ length: size }, (_, index) =>
      specOf({ ...script, index }, pages, {
        ...(random.chance(0.15) ? { priority: random.int(1, 9) } : {}),
        ...(random.chance(0.03)
          ? { run_at: new Date(Date.now() + random.int(500, 4000)).toISOString() }
          : {}),
      }),
    );
    posted += size;
    const ids = await client.post(key, jobs, random.chance(0.04) ? random.int(1, 12) : undefined);
    remember(ids, script.end);
    return ids;
  };

  const act = async (number: number): Promise<number> => {
    const random = createRandom(seed, `action-${number}`);
    const key = `${seed}-${number}`;
    const kind = random.next();
    if (kind < 0.04 && retryable.length > 0) {
      await client.change('retry', random.pick(retryable));
      return 0;
    }
    if (kind < 0.07 && recent.length > 0) {
      const id = random.pick(recent);
      await client.change('cancel', id);
      retryable.push(id);
      return 0;
    }
    if (kind < 0.12 && recent.length > 0) {
      await client.get(random.pick(recent));
      return 0;
    }
    if (kind < 0.16) {
      const ids = await post(random, key, slow(key, random.int(2500, 5000)), 1, 1);
      await delay(random.int(300, 1500));
      for (const id of ids ?? []) await client.change('cancel', id);
      return 1;
    }
    const size = kind < 0.28 ? random.int(2, 12) : 1;
    const pages = random.int(1, 3);
    await post(random, key, scriptFor(random, key, pages), size, pages);
    return size;
  };

  const watch = async () => {
    while (!stopped) {
      crowded = await unfinished(installation.adminUrl).then(
        (count) => count > MOST_UNFINISHED,
        () => underWay.size > MOST_UNFINISHED,
      );
      await delay(WATCH_MS);
    }
  };
  const drive = async () => {
    if (options.jobsPerSecond === 0) return;
    // Measured, not assumed: the mean number of jobs per action of the script above.
    const everyMs = 1000 / (options.jobsPerSecond / 1.6);
    let dueAt = performance.now();
    while (!stopped) {
      dueAt += everyMs;
      const early = dueAt - performance.now();
      if (early > 0) await delay(early);
      else dueAt = performance.now();
      if (crowded || underWay.size > MOST_UNFINISHED) continue;
      actions += 1;
      track(act(actions));
    }
  };
  const track = <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
    return work;
  };
  const driving = Promise.all([drive(), watch()]);

  return {
    posted: () => posted,
    postKiller: async () => {
      killers += 1;
      const key = `${seed}-killer-${killers}`;
      const script: JobScript = { key, index: 0, end: 'kill_worker', ms: 20, bad: null };
      posted += 1;
      await track(client.post(key, [specOf(script, 2, { max_attempts: 2, priority: 9 })]));
    },
    postSlow: async (ms, priority = 9) => {
      killers += 1;
      const key = `${seed}-slow-${killers}`;
      posted += 1;
      return (await track(client.post(key, [specOf(slow(key, ms), 1, { priority })])))?.[0];
    },
    stop: async () => {
      stopped = true;
      await driving;
      await Promise.all(underWay);
    },
  };
}

const slow = (key: string, ms: number): JobScript => ({ key, index: 0, end: 'complete', ms, bad: null });

function scriptFor(random: Random, key: string, pages: number): JobScript {
  const kind = random.next();
  const script: JobScript = { key, index: 0, end: 'complete', ms: random.int(5, 60), bad: null };
  if (kind < 0.05) return { ...script, end: 'fail' };
  if (kind < 0.11) return { ...script, end: 'retry_once' };
  if (kind < 0.13) return { ...script, end: 'snooze_once' };
  if (kind < 0.16 && pages > 1) return { ...script, bad: random.int(0, pages - 1) };
  if (kind < 0.2) return { ...script, ms: random.int(600, 2500) };
  return script;
}

export const unfinished = (adminUrl: string): Promise<number> =>
  asAdmin(adminUrl, async (admin) => {
    const { rows } = await admin.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM jobs WHERE status IN ('scheduled', 'queued', 'running', 'retrying')`,
    );
    return rows[0]?.count ?? 0;
  });
