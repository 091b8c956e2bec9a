import type { Snapshot, Transition } from './snapshot.ts';
import type { Violation } from './violation.ts';

/** Three heartbeats, less the clock difference of the trigger. */
const SILENT_MS = 1150;

/**
 * Runs: one holder at a time, one outcome each, no more than permitted, and no writes after its
 * end.
 */
export function auditRuns(snapshot: Snapshot): Violation[] {
  return [
    ...auditOutcomes(snapshot),
    ...auditHolders(snapshot),
    ...auditPages(snapshot),
    ...auditLeads(snapshot),
    ...auditTakeovers(snapshot),
  ];
}

/**
 * Each claim has exactly one outcome, each outcome a claim; and the attempts stay within the limit.
 * Only a run that ended waiting for its host, and gave its attempt back, may be without one: a host
 * queue may snooze a job a thousand times.
 */
function auditOutcomes({ transitions, attempts, jobs }: Snapshot): Violation[] {
  const violations: Violation[] = [];
  const open = new Map<string, number>();
  const snoozed = new Map<string, number>();
  const nameOf = (job: string, attempt: number, worker: string | null) =>
    `${job} attempt ${attempt} of ${worker}`;
  const add = (to: Map<string, number>, name: string, by: number) => to.set(name, (to.get(name) ?? 0) + by);
  for (const transition of transitions) {
    const { job_id, old_status, status, old_attempt, attempt, max_attempts, old_worker, worker } = transition;
    if (attempt > max_attempts) {
      const detail = `attempt ${attempt} of ${max_attempts}`;
      violations.push({ kind: 'too_many_attempts', detail, job: job_id });
    }
    if (status === 'running' && old_status !== 'running') add(open, nameOf(job_id, attempt, worker), 1);
    const isReturned = old_attempt !== null && attempt === old_attempt - 1;
    if (old_status === 'running' && status === 'retrying' && isReturned) {
      add(snoozed, nameOf(job_id, old_attempt, old_worker), 1);
    }
  }
  for (const { job_id, attempt, worker_id } of attempts) add(open, nameOf(job_id, attempt, worker_id), -1);
  const runningJobs = new Set(jobs.filter(({ status }) => status === 'running').map(({ id }) => id));
  for (const [name, balance] of open) {
    const job = name.slice(0, name.indexOf(' '));
    const running = runningJobs.has(job) ? 1 : 0;
    if (balance >= 0 && balance <= running + (snoozed.get(name) ?? 0)) continue;
    const kind = balance > 0 ? 'attempt_without_outcome' : 'outcome_without_attempt';
    violations.push({ kind, job, detail: name.slice(name.indexOf(' ') + 1) });
  }
  const spent = new Map<string, number>();
  for (const { job_id, outcome } of attempts) {
    if (outcome !== 'released' && outcome !== 'snooze') spent.set(job_id, (spent.get(job_id) ?? 0) + 1);
  }
  for (const { id, attempt, status } of jobs) {
    if (status !== 'running' && (spent.get(id) ?? 0) !== attempt) {
      const detail = `${spent.get(id) ?? 0} attempts were spent, ${attempt} are counted`;
      violations.push({ kind: 'attempts_miscounted', detail, job: id });
    }
  }
  return violations;
}

/** A job goes from the queue to one holder and back; a holder has no more jobs than slots. */
function auditHolders({ transitions, slots }: Snapshot): Violation[] {
  const violations: Violation[] = [];
  const hands = new Map<string, number>();
  const move = (worker: string | null, by: number): number => {
    const now = (hands.get(worker ?? '') ?? 0) + by;
    hands.set(worker ?? '', now);
    return now;
  };
  // In the order of the recorder's numbers and not of its clock: a machine's clock may be set back.
  for (const transition of transitions) {
    const { job_id, old_status, status, old_worker, worker, old_attempt, attempt } = transition;
    if (old_status === 'running' && status === 'running' && !sameRun(transition)) {
      const detail = `attempt ${old_attempt} of ${old_worker} became attempt ${attempt} of ${worker}`;
      violations.push({ kind: 'stolen', detail, job: job_id });
    } else if (status === 'running' && old_status !== 'queued' && old_status !== 'running') {
      violations.push({ kind: 'stolen', detail: `claimed while ${old_status}`, job: job_id });
    }
    if (old_status === 'running' && status !== 'running') move(old_worker, -1);
    if (status === 'running' && old_status !== 'running' && move(worker, 1) > slots) {
      violations.push({ kind: 'over_slots', detail: `${worker} holds more than ${slots} jobs`, job: job_id });
    }
  }
  return violations;
}

const sameRun = ({ old_attempt, attempt, old_worker, worker }: Transition): boolean =>
  old_attempt === attempt && old_worker === worker;

/**
 * A page is written by the run that holds the job, and once it succeeded no other run writes it
 * again.
 */
function auditPages({ pageWrites }: Snapshot): Violation[] {
  const violations: Violation[] = [];
  const good = new Map<string, string>();
  for (const page of pageWrites) {
    const { job_id, position, failed, writer, writer_attempt, holder, holder_attempt, status } = page;
    const fenced =
      status === 'running' && (!writer || (writer === holder && writer_attempt === holder_attempt));
    if (!fenced) {
      const detail = `page ${position} was written by attempt ${writer_attempt} of ${writer}, while the job was ${status}, attempt ${holder_attempt} of ${holder}`;
      violations.push({ kind: 'unfenced_write', detail, job: job_id });
    }
    const place = `${job_id}/${position}`;
    const run = `attempt ${holder_attempt} of ${holder}`;
    const before = good.get(place);
    if (before && before !== run) {
      const detail = `page ${position} was stored by ${before} and again by ${run}`;
      violations.push({ kind: 'page_twice', detail, job: job_id });
    }
    if (!failed) good.set(place, run);
  }
  return violations;
}

/** Each lead has one event, and a job counts the leads it has; a page yields one at most. */
function auditLeads({ jobs, leads }: Snapshot): Violation[] {
  const found = new Map<string, number>();
  for (const { job_id } of leads) found.set(job_id, (found.get(job_id) ?? 0) + 1);
  const wrong = leads.filter(({ event_count: times }) => times !== 1);
  return [
    ...wrong.map(({ job_id, key, event_count: times }) => ({
      ...{ kind: 'lead_without_one_event', job: job_id },
      detail: `${times} events report ${key}`,
    })),
    ...jobs.flatMap(({ id, pages, leads: counted }) => {
      const there = found.get(id) ?? 0;
      // The worker with a browser stores pages only.
      if (there === counted && there <= pages) return [];
      const detail = `${there} leads are there, ${counted} are counted, of ${pages} pages`;
      return [{ kind: 'leads_miscounted', job: id, detail }];
    }),
  ];
}

/** No run of a worker with a recent heartbeat is ended. */
function auditTakeovers({ transitions, attempts }: Snapshot): Violation[] {
  const crashed = new Set(
    attempts
      .filter(({ outcome }) => outcome === 'crashed')
      .map(({ job_id, attempt, worker_id }) => `${job_id} ${attempt} ${worker_id}`),
  );
  return transitions.flatMap(({ job_id, old_status, status, old_attempt, old_worker, silent_ms }) => {
    const ended = old_status === 'running' && (status === 'queued' || status === 'failed');
    if (!ended || !crashed.has(`${job_id} ${old_attempt} ${old_worker}`)) return [];
    if (silent_ms === null || silent_ms >= SILENT_MS) return [];
    const detail = `${old_worker} was taken for dead ${Math.round(silent_ms)} ms after it was heard of`;
    return [{ kind: 'taken_over_alive', detail, job: job_id }];
  });
}
