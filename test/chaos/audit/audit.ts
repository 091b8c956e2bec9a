import { auditLedger } from './audit-ledger.ts';
import { auditLimits } from './audit-limits.ts';
import { auditRuns } from './audit-runs.ts';
import { auditWaits } from './audit-waits.ts';
import type { JobRow, Snapshot, Transition } from './snapshot.ts';
import { FINAL, type Violation } from './violation.ts';

/**
 * Everything that must hold after a run, whatever the faults were. Pure: the same snapshot gives
 * the same violations.
 *
 * @param slack factor by which a slow machine may exceed stated times
 */
export function audit(snapshot: Snapshot, slack = 1): Violation[] {
  return [
    ...auditAnswers(snapshot),
    ...auditEnds(snapshot),
    ...auditDeadLetters(snapshot),
    ...auditRuns(snapshot),
    ...auditLimits(snapshot),
    ...auditLedger(snapshot),
    ...auditWaits(snapshot, slack),
  ];
}

/** The answers that clients got, against the tables. */
function auditAnswers({ jobs, journal }: Snapshot): Violation[] {
  const violations: Violation[] = [];
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const answers = new Map<string, string>();
  for (const { op, status, key, ids, id, state, problem } of journal) {
    if (status >= 400 && (problem || (key && status === 409))) {
      violations.push({ kind: 'wrong_answer', detail: `${op} was answered ${status} ${problem ?? ''}` });
    }
    for (const id of ids ?? []) {
      if (!byId.has(id)) {
        violations.push({ kind: 'lost', job: id, detail: `accepted under ${key}, and is not there` });
      }
    }
    if (key && ids) {
      const before = answers.get(key) ?? ids.join();
      answers.set(key, before);
      if (before !== ids.join()) {
        violations.push({ kind: 'doubled', detail: `${key} was answered with ${before} and ${ids}` });
      }
    }
    if (op === 'get' && state === 'completed' && byId.get(id ?? '')?.status !== 'completed') {
      violations.push({ kind: 'final_state_changed', job: id, detail: 'a client had seen it completed' });
    }
  }
  const seen = new Map<string, JobRow>();
  for (const job of jobs) {
    const name = `${job.script.key}/${job.script.index}`;
    const twin = seen.get(name);
    if (twin) violations.push({ kind: 'doubled', job: job.id, detail: `the same as ${twin.id}` });
    seen.set(name, job);
    // Every POST is repeated until it is answered, so every stored job was in an answer.
    if (!answers.has(job.script.key)) {
      violations.push({ kind: 'unanswered', job: job.id, detail: `${job.script.key} was never answered` });
    }
  }
  return violations;
}

/** Each job is in one final state, the right one, and has never left a final state by itself. */
function auditEnds({ jobs, transitions, attempts, journal, deadLetters }: Snapshot): Violation[] {
  const violations: Violation[] = [];
  const asked = (op: string, id: string) => calls.get(`${op} ${id}`) ?? 0;
  const calls = new Map<string, number>();
  for (const { op, id } of journal) if (id) calls.set(`${op} ${id}`, (calls.get(`${op} ${id}`) ?? 0) + 1);
  const lastOutcome = new Map(attempts.map(({ job_id, outcome }) => [job_id, outcome]));

  for (const job of jobs) {
    const add = (kind: string, detail: string) => violations.push({ kind, detail, job: job.id });
    if (!FINAL.has(job.status)) add('stuck', `still ${job.status} at the end`);
    else if (job.status === 'cancelled' && asked('cancel', job.id) === 0)
      add('wrong_end', 'cancelled without a request');
    else if (job.status === 'completed' && ['fail', 'kill_worker'].includes(job.script.end)) {
      add('wrong_end', `completed, although its script is to ${job.script.end}`);
    } else if (job.status === 'failed' && !mayFail(job, lastOutcome.get(job.id))) {
      add('wrong_end', `failed with ${job.error_code}, although its script is to ${job.script.end}`);
    }
    if (job.status === 'failed' && !job.error_code) add('wrong_end', 'failed without a reason');
    if (job.status === 'failed' && !deadLetters.has(job.id)) add('dead_letter_missing', 'failed');
  }
  const requeued = new Map<string, number>();
  for (const { job_id, old_status, status } of transitions) {
    if (!old_status || !FINAL.has(old_status) || old_status === status) continue;
    const times = (requeued.get(job_id) ?? 0) + 1;
    requeued.set(job_id, times);
    if (old_status === 'completed' || status !== 'queued' || times > asked('retry', job_id)) {
      const detail = `${old_status} became ${status}, without a request`;
      violations.push({ kind: 'final_state_changed', detail, job: job_id });
    }
  }
  return violations;
}

/** A failed job has one open dead letter; a job that did not fail, or was run again, has none. */
function auditDeadLetters({ jobs, openDeadLetters }: Snapshot): Violation[] {
  const open = new Map<string, number>();
  for (const job of openDeadLetters) open.set(job, (open.get(job) ?? 0) + 1);
  return jobs.flatMap(({ id, status }) => {
    const found = open.get(id) ?? 0;
    if (found === (status === 'failed' ? 1 : 0)) return [];
    return [{ kind: 'dead_letters_wrong', job: id, detail: `${status}, with ${found} open dead letters` }];
  });
}

/** Besides those written to fail: a job whose last permitted attempt lost its worker to a fault. */
const mayFail = (job: JobRow, lastOutcome: string | undefined): boolean =>
  job.script.end === 'fail' || (job.error_code === 'worker_lost' && lastOutcome === 'crashed');

/** The history of a job, for the investigation of a violation. */
export function historyOf(snapshot: Snapshot, id: string): string[] {
  const at = (moment: number) => new Date(moment).toISOString().slice(11, 23);
  const described = (transition: Transition) =>
    `${transition.old_status ?? 'new'} -> ${transition.status}, attempt ${transition.attempt} of ${transition.max_attempts}, worker ${transition.worker ?? '-'}, holder silent for ${Math.round(transition.silent_ms ?? 0)} ms`;
  return [
    ...snapshot.transitions.filter(({ job_id }) => job_id === id).map((t) => [t.at, described(t)] as const),
    ...snapshot.dispatches
      .filter(({ job_id }) => job_id === id)
      .map(({ at: moment, dispatched }) => [moment, dispatched ? 'on the queue' : 'off the queue'] as const),
    ...snapshot.attempts
      .filter(({ job_id }) => job_id === id)
      .map(
        (a) => [a.finished_at, `outcome of attempt ${a.attempt} by ${a.worker_id}: ${a.outcome}`] as const,
      ),
    ...snapshot.pageWrites
      .filter(({ job_id }) => job_id === id)
      .map(
        (p) => [p.at, `page ${p.position} by ${p.writer ?? p.holder}, attempt ${p.holder_attempt}`] as const,
      ),
    ...snapshot.journal
      .filter((entry) => entry.id === id || entry.ids?.includes(id))
      .map((e) => [e.at + e.ms, `client ${e.op} at ${e.api}: ${e.status} ${e.state ?? ''}`] as const),
  ]
    .sort(([a], [b]) => a - b)
    .map(([moment, what]) => `${at(moment)} ${what}`);
}
