import { spansAtLimit } from './audit-limits.ts';
import type { Snapshot } from './snapshot.ts';
import type { Violation } from './violation.ts';

/**
 * Beyond the faults themselves: detecting a purged queue takes 15 s, plus a margin for the jobs
 * ahead.
 */
const LONGEST_WAIT_MS = 25_000;

/**
 * No ready job waits longer than the longest stated recovery, whatever the kind of fault, once the
 * fault itself is over. While as many jobs of its user run as may, it does not wait for a worker.
 */
export function auditWaits({ transitions, faults }: Snapshot, slack: number): Violation[] {
  const disturbed = union(faults.filter(({ skipped }) => !skipped).map(({ at, healedAt }) => [at, healedAt]));
  const atLimit = spansAtLimit(transitions);
  const readySince = new Map<string, number>();
  return transitions.flatMap(({ job_id, status, at, user_id }) => {
    const since = readySince.get(job_id);
    readySince.delete(job_id);
    if (status === 'queued') readySince.set(job_id, at);
    if (since === undefined || status !== 'running') return [];
    const excused = union([...disturbed, ...(atLimit.get(user_id) ?? [])]);
    const waitedMs = at - since - overlap(excused, since, at);
    if (waitedMs <= LONGEST_WAIT_MS * slack) return [];
    const detail = `was ready for ${Math.round(waitedMs)} ms of undisturbed time before a worker took it`;
    return [{ kind: 'waited_too_long', detail, job: job_id }];
  });
}

export type Span = [begin: number, end: number];

export function union(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const [begin, end] of [...spans].sort(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last && begin <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([begin, end]);
  }
  return merged;
}

export const overlap = (spans: Span[], begin: number, end: number): number =>
  spans.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(end, to) - Math.max(begin, from)), 0);
