import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../../support/wait-for.ts';
import type { Violation } from '../audit/violation.ts';
import { type Member, waitUntilReady } from '../installation.ts';
import { asAdmin } from '../postgres.ts';
import { runChaos } from '../run.ts';
import { type Shape, withServices } from '../services.ts';
import type { FaultContext, FaultEffect } from './faults.ts';
import type { FaultKind } from './plan.ts';
import type { FaultRecord } from './schedule.ts';

/**
 * The proof of the harness itself. A mutation removes one safeguard from a copy of the compiled
 * product; the scenario for that safeguard must end in violations with the mutated copy, and in none
 * with the original. Text is replaced because the product has no switch that loses jobs.
 */
export interface Mutation {
  file: string;
  /** Must occur in the file exactly once: a patch that no longer applies proves nothing, and fails. */
  remove: string;
  instead: string;
  /** At least one of these kinds of violation must be found. */
  expects: string[];
  shape: Partial<Shape>;
  /** How long the run may take to become idle; default 30 s. */
  quietMs?: number;
  scenario(context: FaultContext): Promise<FaultRecord[]>;
}

const mutations = {
  attempt_fence: {
    file: 'db/jobs/settle.js',
    remove: 'AND j.attempt = s.attempt AND j.worker_id = s.worker_id',
    instead: '',
    expects: ['wrong_end', 'outcome_without_attempt', 'attempt_without_outcome'],
    shape: { leaseMs: 2000 },
    scenario: async (context) => {
      const holder = await holderOfSlowJob(context, 5000);
      // Longer than its lease: another worker runs the job when it wakes up.
      return one('worker_frozen', holder, async () => {
        holder.signal('SIGSTOP');
        await until(context, `status = 'running' AND attempt = 2`, 15_000);
        holder.signal('SIGCONT');
      });
    },
  },
  acknowledge_after_settle: {
    file: 'workers/scraper/execution.js',
    remove: 'const settled = await retryWhileUnavailable(',
    instead: 'const settled = true;\n        void retryWhileUnavailable(',
    expects: ['slow_recovery'],
    shape: { leaseMs: 10_000 },
    scenario: async (context) => {
      const workers = context.installation.workers;
      const ended = workers.map((worker) => worker.ends(15_000).then((dead) => (dead ? worker : undefined)));
      for (const worker of workers) {
        worker.send({ arm: { moment: 'before_settle', signal: 'SIGKILL', afterMs: 500 } });
      }
      await context.load.postSlow(300);
      const dead = await Promise.race(ended);
      for (const worker of workers) worker.send({ arm: null });
      if (!dead) throw new Error('no worker reached its settle');
      return recordDeath('worker_killed_before_settle', dead);
    },
  },
  scheduler: {
    file: 'dispatch/scheduler.js',
    remove: 'const due = await queueDueJobs(database, BATCH);',
    instead: 'if (queue) return PAUSE_MS;\n        const due = await queueDueJobs(database, BATCH);',
    expects: ['stuck'],
    // Two processes, so that one is left to lead. Without a scheduler the run would wait for its jobs.
    shape: { apis: 2 },
    quietMs: 7000,
    scenario: async (context) => {
      const { apis } = context.installation;
      const ended = apis.map((api) => api.ends(30_000).then((dead) => (dead ? api : undefined)));
      for (const api of apis) api.send({ arm: { moment: 'before_publish', signal: 'SIGKILL', afterMs: 0 } });
      let isOver = false;
      const first = Promise.race(ended).finally(() => {
        isOver = true;
      });
      // A slow process leaves its job to the scheduler. From then on only a more urgent one is
      // published at once.
      for (let priority = 1; priority <= 9 && !isOver; priority += 1) {
        await context.load.postSlow(50, priority);
        await Promise.race([first, delay(500)]);
      }
      const api = await first;
      for (const other of apis) other.send({ arm: null });
      if (!api) throw new Error('no API process published a job');
      return recordDeath('api_killed_before_publish', api);
    },
  },
  takeover: {
    file: 'workers/scraper/claim.js',
    remove: 'delivery.redelivered ? takeOver(',
    instead: 'delivery.redelivered === null ? takeOver(',
    expects: ['slow_recovery'],
    shape: { leaseMs: 10_000 },
    scenario: async (context) => {
      const holder = await holderOfSlowJob(context, 1500);
      const ended = holder.ends(5000);
      holder.signal('SIGKILL');
      await ended;
      return recordDeath('worker_killed', holder);
    },
  },
  takeover_from_the_silent_only: {
    file: 'workers/scraper/claim.js',
    remove: 'if (holder.silentMs >= SILENT_MS)',
    instead: 'if (holder.silentMs >= -SILENT_MS)',
    expects: ['taken_over_alive'],
    // One slot: the message can only go to another worker than the one that runs its job.
    shape: { slots: 1, leaseMs: 10_000 },
    scenario: async (context) => {
      const holder = await holderOfSlowJob(context, 4000);
      return one('backends_terminated', holder, async () => {
        // Every worker loses only the channel its messages came on.
        await asAdmin(context.installation.adminUrl, (admin) =>
          admin.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'leadengine-queue-session'`,
          ),
        );
      });
    },
  },
} satisfies Record<string, Mutation>;

export type MutationName = keyof typeof mutations;
export const MUTATIONS: Record<MutationName, Mutation> = mutations;

export interface Proof {
  mutation: MutationName;
  /** Kinds of violations found, with the original and with the mutated copy. */
  original: string[];
  mutated: string[];
  proven: boolean;
  violations: Violation[];
}

export async function proveMutation(name: MutationName, say: (line: string) => void): Promise<Proof> {
  const mutation = MUTATIONS[name];
  const build = await patchedBuild(mutation);
  try {
    return await withServices('embedded', async (start) => {
      const run = async (which: 'original' | 'mutated') => {
        const shape = { apis: 1, workers: 2, browserWorkers: 0, slots: 2, leaseMs: 3000, ...mutation.shape };
        const installation = await start({ ...shape, ...(which === 'mutated' ? { build } : {}) });
        const report = await runChaos(installation, {
          ...{ seed: 1, minutes: 0, jobsPerSecond: 0, gapMs: 1000, slack: 2 },
          quietMs: mutation.quietMs ?? 30_000,
          scenario: mutation.scenario,
          say: (line) => say(`${name}, ${which}: ${line}`),
        });
        return report.violations;
      };
      const [found, missed] = await Promise.all([run('original'), run('mutated')]);
      const kinds = (violations: Violation[]) => [...new Set(violations.map(({ kind }) => kind))];
      const proven = found.length === 0 && kinds(missed).some((kind) => mutation.expects.includes(kind));
      // Logs are kept if there are `violations`: only those of a failed proof.
      const violations = proven ? [] : [...found, ...missed];
      return { mutation: name, original: kinds(found), mutated: kinds(missed), proven, violations };
    });
  } finally {
    await rm(build, { recursive: true, force: true });
  }
}

/** @throws if the text to remove is not there: then the product has changed, and so must the patch */
async function patchedBuild({ file, remove, instead }: Mutation): Promise<string> {
  const build = await mkdtemp(join(tmpdir(), 'leadengine-chaos-patched-'));
  await cp(join(import.meta.dirname, '..', '..', '..'), build, { recursive: true, verbatimSymlinks: true });
  const path = join(build, file);
  const parts = (await readFile(path, 'utf8')).split(remove);
  if (parts.length !== 2) {
    throw new Error(`${file} holds ${parts.length - 1} times what the patch removes, not once:\n${remove}`);
  }
  await writeFile(path, parts.join(instead));
  return build;
}

/** Posts a job that takes this long, and waits until a worker has it. */
async function holderOfSlowJob(context: FaultContext, ms: number): Promise<Member> {
  const { installation, load } = context;
  await load.postSlow(ms);
  return waitFor(
    async () => {
      const rows = await asAdmin(installation.adminUrl, (admin) =>
        admin.query<{ worker_id: string }>(`SELECT worker_id FROM jobs WHERE status = 'running'`),
      );
      const worker = rows.rows[0]?.worker_id;
      return worker && installation.workers.find(({ pid }) => worker.includes(`-${pid}-`));
    },
    { timeoutMs: 10_000, what: 'a worker to have the job' },
  );
}

const until = (context: FaultContext, condition: string, timeoutMs: number): Promise<boolean> =>
  waitFor(() => hasJob(context, condition), { timeoutMs, what: condition });

const hasJob = (context: FaultContext, condition: string): Promise<boolean> =>
  asAdmin(context.installation.adminUrl, async (admin) => {
    const found = await admin.query(`SELECT FROM jobs WHERE ${condition}`);
    return found.rows.length > 0;
  });

async function one(kind: FaultKind, member: Member, run: () => Promise<void>): Promise<FaultRecord[]> {
  const effect: FaultEffect = {
    at: Date.now(),
    healedAt: 0,
    hit: [{ name: member.name, pid: member.pid ?? 0 }],
  };
  await run();
  return [{ number: 1, kind, ...effect, healedAt: Date.now() }];
}

async function recordDeath(kind: FaultKind, member: Member): Promise<FaultRecord[]> {
  const life = member.lives.findLast(({ endedAt }) => endedAt !== undefined);
  await waitUntilReady([member]);
  const at = life?.endedAt ?? Date.now();
  return [{ number: 1, kind, at, healedAt: Date.now(), hit: [{ name: member.name, pid: life?.pid ?? 0 }] }];
}
