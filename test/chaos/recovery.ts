import { overlap, type Span, union } from './audit/audit-waits.ts';
import type { Snapshot, Transition } from './audit/snapshot.ts';
import type { Violation } from './audit/violation.ts';
import type { FaultKind } from './faults/plan.ts';
import type { FaultRecord } from './faults/schedule.ts';

/** Recovery times after a kind of fault. Milliseconds. */
export interface Recovery {
  what: string;
  /** The stated limit of docs/internals/guarantees.md, which the auditor enforces. */
  limitMs: number | undefined;
  /** Faults measured, and how many of them had no other fault beside or shortly before them. */
  measured: number;
  alone: number;
  /** The worst of those that happened alone: only they show what the fault costs. */
  worstMs: number | undefined;
  medianMs: number | undefined;
  /** The worst of all, other faults included. */
  worstOfAllMs: number | undefined;
  /** The fault and the job of each of the two. */
  worst: Culprit | undefined;
  worstOfAll: Culprit | undefined;
}

interface Culprit {
  fault: number;
  job: string | undefined;
}

/** The interval, and the job that recovered. */
interface Measured {
  span: Span;
  job?: string;
}

/** Other faults this long before, or during the recovery, affect it. */
const AFTERMATH_MS = 2500;

export function measureRecoveries(snapshot: Snapshot): Recovery[] {
  const { driver, leaseMs } = snapshot;
  const fleet = driver === 'fleet';
  const rescued = leaseMs + 3000;
  const faults = snapshot.faults.filter(({ skipped }) => !skipped);
  const of = (...kinds: FaultKind[]) => faults.filter(({ kind }) => kinds.includes(kind));
  const figure = (
    what: string,
    limitMs: number | undefined,
    chosen: FaultRecord[],
    recovered: (fault: FaultRecord) => Measured[],
  ) => summarize(what, limitMs, faults, chosen, recovered);
  const index = indexOf(snapshot);

  return [
    figure(
      'worker killed: its jobs run elsewhere',
      fleet ? 2000 : 4000,
      of(
        'worker_killed',
        'worker_killed_after_claim',
        'worker_killed_after_store',
        'worker_killed_before_settle',
      ),
      (fault) => index.takenUp(fault),
    ),
    figure('worker frozen: its jobs run elsewhere', rescued, of('worker_frozen'), (fault) =>
      index.takenUp(fault),
    ),
    figure(
      'worker frozen inside a transaction: its jobs run elsewhere',
      rescued + 10_000,
      of('worker_frozen_in_transaction'),
      (fault) => index.takenUp(fault),
    ),
    figure(
      'broker started: jobs are claimed again',
      10_000,
      of('broker_killed', 'broker_restarted'),
      (fault) => from(fault.healedAt, index.firstClaim(fault.healedAt)),
    ),
    figure(
      'Postgres accepts connections: POST is answered 202',
      5000,
      of('postgres_killed', 'postgres_restarted', 'postgres_disk_full'),
      (fault) => from(fault.healedAt, index.firstAccept(fault.healedAt)),
    ),
    figure(
      'Postgres accepts connections: jobs are claimed again',
      10_000,
      of('postgres_killed', 'postgres_restarted', 'postgres_disk_full'),
      (fault) => from(fault.healedAt, index.firstClaim(fault.healedAt)),
    ),
    figure(
      'queue purged or deleted: what waited there is claimed',
      25_000,
      of('queue_purged', 'queue_deleted'),
      (fault) => index.claimedOf(fault.at),
    ),
    figure(
      'API killed: what it had accepted is claimed',
      6000,
      of('api_killed', 'api_killed_before_publish', 'api_killed_after_publish'),
      (fault) => index.claimedOf(fault.at),
    ),
    figure('API killed: POST is answered 202 elsewhere', 5000, of('api_killed', 'api_stopped'), (fault) =>
      from(fault.at, index.firstAccept(fault.at)),
    ),
    figure(
      'network restored: the worker claims again',
      undefined,
      of(
        ...(['cut', 'stalled', 'slow'] as const).flatMap(
          (how) => [`worker_postgres_${how}`, `worker_broker_${how}`] as const,
        ),
      ),
      (fault) => from(fault.healedAt, index.firstClaim(fault.healedAt, fault.hit[0]?.pid)),
    ),
    measureCancels(snapshot, faults),
    measureWaits(snapshot),
  ];
}

/** A recovery slower than stated, only if no other fault affected it. */
export const auditRecoveries = (recoveries: Recovery[], slack: number): Violation[] =>
  recoveries.flatMap(({ what, limitMs, worstMs, worst }) => {
    if (limitMs === undefined || worstMs === undefined || worstMs <= limitMs * slack) return [];
    const detail = `${what}: ${Math.round(worstMs)} ms after fault ${worst?.fault}, stated are ${limitMs}`;
    return [{ kind: 'slow_recovery', detail, job: worst?.job }];
  });

function summarize(
  what: string,
  limitMs: number | undefined,
  faults: FaultRecord[],
  chosen: FaultRecord[],
  recovered: (fault: FaultRecord) => Measured[],
): Recovery {
  const all: (Culprit & { ms: number })[] = [];
  const alone: (Culprit & { ms: number })[] = [];
  let measured = 0;
  let undisturbed = 0;
  for (const fault of chosen) {
    const found = recovered(fault);
    if (found.length === 0) continue;
    measured += 1;
    const times = found.map(({ span: [begin, end], job }) => ({ ms: end - begin, fault: fault.number, job }));
    all.push(...times);
    const end = Math.max(...found.map(({ span: [, ended] }) => ended));
    const others = union(
      faults.filter((other) => other !== fault).map(({ at, healedAt }) => [at, healedAt + AFTERMATH_MS]),
    );
    if (overlap(others, fault.at, end) > 0) continue;
    undisturbed += 1;
    alone.push(...times);
  }
  alone.sort((a, b) => a.ms - b.ms);
  all.sort((a, b) => a.ms - b.ms);
  return {
    ...{ what, limitMs, measured },
    alone: undisturbed,
    worstMs: alone.at(-1)?.ms,
    medianMs: alone[Math.floor(alone.length / 2)]?.ms,
    worstOfAllMs: all.at(-1)?.ms,
    worst: alone.at(-1),
    worstOfAll: all.at(-1),
  };
}

const from = (begin: number, end: number | undefined): Measured[] =>
  end === undefined ? [] : [{ span: [begin, end] }];

/** Answers to "what happened next", from the recorder's tables and the clients' journal. */
function indexOf({ jobs, transitions, dispatches, journal }: Snapshot) {
  const priorities = new Map(jobs.map(({ id, priority }) => [id, priority]));
  const priorityOf = ({ job_id }: Transition) => priorities.get(job_id) ?? 0;
  const byJob = new Map<string, Transition[]>();
  for (const transition of transitions) {
    const list = byJob.get(transition.job_id) ?? [];
    byJob.set(transition.job_id, list);
    list.push(transition);
  }
  const claims = transitions.filter(
    ({ status, old_status }) => status === 'running' && old_status === 'queued',
  );
  const marks = [...dispatches].sort((a, b) => a.at - b.at);
  /** Each wait of a job: from ready to its claim. */
  const waits = [...byJob.values()].flatMap((list) =>
    list.flatMap((claim, place) => {
      const ready = list[place - 1];
      return ready?.status === 'queued' && claim.status === 'running'
        ? [{ readyAt: ready.at, claimedAt: claim.at, priority: priorityOf(claim) }]
        : [];
    }),
  );
  const accepts = journal
    .filter(({ status, at }) => status === 202 && at > 0)
    .map(({ at, ms }) => ({ sentAt: at, answeredAt: at + ms }))
    .sort((a, b) => a.answeredAt - b.answeredAt);
  const isOf = (worker: string | null, pid: number) => worker?.includes(`-${pid}-`) ?? false;

  /** The state of each job at a moment, and its next transition. */
  const at = (moment: number) =>
    [...byJob.values()].flatMap((list) => {
      const next = list.findIndex((transition) => transition.at > moment);
      const before = list[(next < 0 ? list.length : next) - 1];
      return before && next >= 0 ? [{ before, after: list.slice(next) }] : [];
    });

  /** The highest priority among the jobs that waited at that moment. */
  const urgentAt = (moment: number): number =>
    at(moment).reduce(
      (most, { before }) => (before.status === 'queued' ? Math.max(most, priorityOf(before)) : most),
      0,
    );

  /** Since when a job was on the queue, for the first time or still, at that moment or after it. */
  const onQueueSince = (id: string, moment: number): number => {
    const own = marks.filter(({ job_id }) => job_id === id);
    if (own.findLast(({ at }) => at <= moment)?.dispatched) return moment;
    return own.find(({ at, dispatched }) => at > moment && dispatched)?.at ?? Number.POSITIVE_INFINITY;
  };

  /**
   * When a waiting job was next: the last of those ahead of it was claimed (more urgent ones, and
   * those that were ready before it), or it was put on the queue, which must not lose it.
   */
  const turnOf = (ready: Transition, claim: Transition, moment: number): number => {
    const priority = priorityOf(ready);
    const inFront = waits.filter(
      (other) =>
        other.claimedAt > moment &&
        other.claimedAt < claim.at &&
        (other.priority > priority || (other.priority === priority && other.readyAt < ready.at)),
    );
    const turn = inFront.reduce((latest, { claimedAt }) => Math.max(latest, claimedAt), moment);
    return Math.min(turn, onQueueSince(ready.job_id, moment));
  };

  return {
    /**
     * For each job the killed or frozen processes held: time until its next run began, or it was
     * given up.
     */
    takenUp: (fault: FaultRecord): Measured[] =>
      at(fault.at).flatMap(({ before, after }) => {
        const held = before.status === 'running' && fault.hit.some(({ pid }) => isOf(before.worker, pid));
        const [end] = after;
        // Jobs that it settled in its last moment, or that a user cancelled, need no recovery.
        if (!held || !end || (end.status !== 'queued' && end.status !== 'failed')) return [];
        // Requeued to Postgres, it goes behind more urgent jobs; that is order, and no recovery.
        if (urgentAt(end.at) > priorityOf(end)) return [];
        const again = after.find(({ status }) => status === 'running' || status === 'failed');
        return again ? [{ span: [fault.at, again.at], job: again.job_id }] : [];
      }),
    /**
     * For each job that waited on the queue or for it at that moment: time from then, or from when
     * it was next, to its claim. Workers that are busy with the jobs ahead of it are no part of a
     * recovery.
     */
    claimedOf: (moment: number): Measured[] =>
      at(moment).flatMap(({ before, after: [claim] }) =>
        before.status === 'queued' && claim?.status === 'running'
          ? [{ span: [turnOf(before, claim, moment), claim.at], job: before.job_id }]
          : [],
      ),
    firstClaim: (moment: number, pid?: number): number | undefined =>
      claims.find((claim) => claim.at > moment && (pid === undefined || isOf(claim.worker, pid)))?.at,
    firstAccept: (moment: number): number | undefined =>
      accepts.find(({ answeredAt }) => answeredAt > moment)?.answeredAt,
  };
}

/** From the cancel of a running job to the moment its worker aborts it. */
function measureCancels({ transitions, aborted }: Snapshot, faults: FaultRecord[]): Recovery {
  const heard = new Map(aborted.map(({ id, at }) => [id, at]));
  const disturbed = union(faults.map(({ at, healedAt }) => [at, healedAt + AFTERMATH_MS]));
  const all: (Culprit & { ms: number })[] = [];
  const alone: (Culprit & { ms: number })[] = [];
  for (const { job_id, old_status, status, at } of transitions) {
    const heardAt = heard.get(job_id);
    if (old_status !== 'running' || status !== 'cancelled' || !heardAt || heardAt < at - 50) continue;
    const one = { ms: heardAt - at, fault: 0, job: job_id };
    all.push(one);
    if (overlap(disturbed, at - 1000, heardAt) === 0) alone.push(one);
  }
  alone.sort((a, b) => a.ms - b.ms);
  all.sort((a, b) => a.ms - b.ms);
  return {
    what: 'running job cancelled: its worker drops it',
    limitMs: 1000,
    measured: all.length,
    alone: alone.length,
    worstMs: alone.at(-1)?.ms,
    medianMs: alone[Math.floor(alone.length / 2)]?.ms,
    worstOfAllMs: all.at(-1)?.ms,
    worst: alone.at(-1),
    worstOfAll: all.at(-1),
  };
}

/** How long ready jobs waited for a worker, faults and other jobs included. */
function measureWaits({ transitions }: Snapshot): Recovery {
  const readySince = new Map<string, number>();
  const waits = transitions.flatMap(({ job_id, status, at }) => {
    const since = readySince.get(job_id);
    readySince.delete(job_id);
    if (status === 'queued') readySince.set(job_id, at);
    return since !== undefined && status === 'running' ? [{ ms: at - since, fault: 0, job: job_id }] : [];
  });
  waits.sort((a, b) => a.ms - b.ms);
  return {
    ...{ what: 'any job that is ready: a worker takes it', limitMs: undefined },
    ...{ measured: waits.length, alone: 0, worstMs: undefined, worst: undefined },
    medianMs: waits[Math.floor(waits.length / 2)]?.ms,
    worstOfAllMs: waits.at(-1)?.ms,
    worstOfAll: waits.at(-1),
  };
}
