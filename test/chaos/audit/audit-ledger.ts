import type { Snapshot, Transition } from './snapshot.ts';
import { FINAL, type Violation } from './violation.ts';

/**
 * The ledger has each change once, in the order in which it happened, and all of it was published.
 */
export function auditLedger({ transitions, events, unpublished, queued }: Snapshot): Violation[] {
  const violations: Violation[] = [];
  const happened = new Map<string, string[]>();
  for (const transition of transitions) {
    const type = eventOf(transition);
    if (type) listOf(happened, transition.job_id).push(type);
  }
  const recorded = new Map<string, string[]>();
  for (const { job_id, type } of events) listOf(recorded, job_id).push(type);
  for (const [job, types] of happened) {
    const inLedger = recorded.get(job) ?? [];
    if (types.join() === inLedger.join()) continue;
    const same = [...types].sort().join() === [...inLedger].sort().join();
    const kind = same ? 'ledger_order' : 'ledger';
    violations.push({
      kind,
      job,
      detail: `happened: ${types.join(' ')}; in the ledger: ${inLedger.join(' ')}`,
    });
  }
  for (const job of recorded.keys()) {
    if (!happened.has(job))
      violations.push({ kind: 'ledger', job, detail: 'events of a job that never was' });
  }
  if (unpublished > 0) {
    violations.push({ kind: 'unpublished', detail: `${unpublished} events were not published` });
  }
  if (queued !== 0) {
    violations.push({ kind: 'message_left', detail: `${queued} messages are left in scrape_jobs` });
  }
  return violations;
}

/** The event of a change; a job that falls due has none. */
function eventOf({ old_status, status, old_attempt, attempt }: Transition): string | undefined {
  if (old_status === null) return 'job.created';
  if (old_status === status && old_attempt === attempt) return undefined;
  switch (status) {
    case 'running':
      return 'job.started';
    case 'queued':
      return old_status === 'running' || FINAL.has(old_status) ? 'job.requeued' : undefined;
    default:
      return `job.${status}`;
  }
}

function listOf(lists: Map<string, string[]>, name: string): string[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}
